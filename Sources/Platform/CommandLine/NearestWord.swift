/// The known word that was perhaps meant by another.
package enum NearestWord {
    /// A sentence that asks for the nearest word, with a blank before it. Empty if none is near.
    package static func hint(for word: String, among known: [String]) -> String {
        nearest(to: word, among: known).map { " Did you mean \($0)?" } ?? ""
    }

    /// Two mistakes at most, and in less than half of the letters. The beginning of a word and its letters in another
    /// order are near too. Of several that are as near, the one that begins alike longest.
    package static func nearest(to word: String, among known: [String]) -> String? {
        let letters = letters(of: word)
        guard letters.count >= 2, letters.count <= 64 else { return nil }
        return known.compactMap { candidate -> (distance: Int, other: Int, word: String)? in
            let own = self.letters(of: candidate)
            let distance = EditDistance.between(letters, own)
            let isNear =
                distance <= 2 && distance * 2 < own.count || own.hasPrefix(letters)
                || letters.utf8.sorted() == own.utf8.sorted()
            let alike = zip(letters, own).prefix { $0 == $1 }.count
            return isNear ? (distance, letters.count - alike, candidate) : nil
        }.min { ($0.distance, $0.other, $0.word) < ($1.distance, $1.other, $1.word) }?.word
    }

    private static func letters(of word: String) -> String { String(word.drop { $0 == "-" }).lowercased() }
}
