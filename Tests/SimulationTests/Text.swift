/// Looking into a body without the decoder under test.
enum Text {
    /// The value of the last string member of this name.
    static func field(_ name: String, of body: [UInt8]) -> String? {
        let parts = String(decoding: body, as: UTF8.self).components(after: "\"\(name)\":\"")
        return parts.last.map { String($0.prefix { $0 != "\"" }) }
    }

    /// Every quoted number, by a running count and its member's name.
    static func numbers(in body: [UInt8]) -> [String: Int64] {
        var numbers: [String: Int64] = [:]
        let words = String(decoding: body, as: UTF8.self).split(separator: "\"", omittingEmptySubsequences: false)
        for index in words.indices.dropFirst(2) where words[index - 1] == ":" {
            guard let number = Int64(words[index]) else { continue }
            numbers["\(index) \(words[index - 2])"] = number
        }
        return numbers
    }
}

extension String {
    fileprivate func components(after separator: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            rest = rest[range.upperBound...]
            parts.append(rest)
        }
        return parts
    }
}
