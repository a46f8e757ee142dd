/// The text of a Swift file, parsed as far as finding string literals takes: literals, comments, brackets.
struct SourceText {
    private let bytes: [UInt8]

    init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

    /// Every place right behind a text.
    func places(after text: String) -> [Int] {
        let wanted = Array(text.utf8)
        guard bytes.count >= wanted.count else { return [] }
        return (0...(bytes.count - wanted.count)).filter { bytes[$0] == wanted[0] && has(wanted, at: $0) }
            .map { $0 + wanted.count }
    }

    /// The place of the next byte that is no white space.
    func skippingBlanks(from place: Int) -> Int {
        var place = place
        while place < bytes.count, [UInt8(ascii: " "), UInt8(ascii: "\n")].contains(bytes[place]) { place += 1 }
        return place
    }

    func has(_ text: String, at place: Int) -> Bool { has(Array(text.utf8), at: place) }

    private func has(_ wanted: [UInt8], at place: Int) -> Bool {
        place >= 0 && place + wanted.count <= bytes.count
            && wanted.indices.allSatisfy { bytes[place + $0] == wanted[$0] }
    }

    /// The string literals between a bracket and the bracket that closes it.
    ///
    /// - Parameter nested: includes the literals in inner brackets.
    func literals(inBracketsAt place: Int, nested: Bool) -> [String] {
        var found: [String] = []
        var (place, depth) = (place, 0)
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""):
                let (text, end) = literal(at: place)
                if nested || depth == 1 { found.append(text) }
                place = end
                continue
            case UInt8(ascii: "/") where has("//", at: place):
                while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { return found }
            default: break
            }
            place += 1
        }
        return found
    }

    /// The literal that begins at a quotation mark, up to its first interpolation, and the place behind it. Lines that
    /// a backslash joins are one line.
    func literal(at start: Int) -> (text: String, end: Int) {
        let isLong = has("\"\"\"", at: start)
        var place = start + (isLong ? 3 : 1)
        var text: [UInt8] = []
        var isCut = false
        while place < bytes.count, !(isLong ? has("\"\"\"", at: place) : bytes[place] == UInt8(ascii: "\"")) {
            if has("\\(", at: place) {
                isCut = true
                place = end(ofBracketsAt: place + 1)
                continue
            }
            if has("\\\n", at: place) {
                place = skippingBlanks(from: place + 1)
                continue
            }
            let width = bytes[place] == UInt8(ascii: "\\") ? 2 : 1
            if !isCut { text += bytes[place..<min(place + width, bytes.count)] }
            place += width
        }
        return (String(decoding: text, as: UTF8.self).withSingleBlanks, place + (isLong ? 3 : 1))
    }

    private func end(ofBracketsAt start: Int) -> Int {
        var (place, depth) = (start, 0)
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "(") { depth += 1 }
            if bytes[place] == UInt8(ascii: ")") { depth -= 1 }
            place += 1
            if depth == 0 { break }
        }
        return place
    }
}

extension StringProtocol {
    /// The text with single blanks instead of other white space, and without blanks at its ends.
    var withSingleBlanks: String { split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
