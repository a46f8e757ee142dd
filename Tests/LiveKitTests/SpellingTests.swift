import Foundation
import LiveKit
import Testing

/// The same event in other spellings that a protojson reader takes.
@Suite struct SpellingTests {
    @Test(arguments: Corpus.shared.files)
    func `snake_case names say the same`(entry: Corpus.Entry) throws {
        try expectSame(entry) { key, value in
            // The key of an attribute is no name of a field.
            guard !key.contains(".") else { return (key, value) }
            var name = ""
            for letter in key { name += letter.isUppercase ? "_" + letter.lowercased() : String(letter) }
            return (name, value)
        }
    }

    @Test(arguments: Corpus.shared.files)
    func `integers without quotes say the same`(entry: Corpus.Entry) throws {
        try expectSame(entry) { key, value in
            guard let text = value as? String, let number = Int64(text), key != "identity" else { return (key, value) }
            return (key, NSNumber(value: number))
        }
    }

    @Test(arguments: Corpus.shared.files)
    func `integers as strings say the same`(entry: Corpus.Entry) throws {
        let integers: Set = ["retryCount", "createdAt", "duration", "size"]
        try expectSame(entry) { key, value in
            guard integers.contains(key), let number = value as? NSNumber else { return (key, value) }
            return (key, number.stringValue)
        }
    }

    @Test(arguments: Corpus.shared.files)
    func `blanks between everything and escaped slashes say the same`(entry: Corpus.Entry) throws {
        let body = try entry.body()
        let tree = try JSONSerialization.jsonObject(with: Data(body))
        let pretty = [UInt8](try JSONSerialization.data(withJSONObject: tree, options: [.prettyPrinted, .sortedKeys]))
        #expect(pretty != body)
        #expect(try EventDecoder(metadataKey: "org_id").decode(pretty.span) == original(body))
    }

    @Test(arguments: Corpus.shared.files)
    func `text of nothing but escapes says the same`(entry: Corpus.Entry) throws {
        let body = try entry.body()
        var escaped: [UInt8] = []
        var isInText = false
        var isEscape = false
        for byte in body {
            if byte == UInt8(ascii: "\""), !isEscape { isInText.toggle() }
            let plain = !isInText || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || isEscape
            if plain {
                escaped.append(byte)
            } else {
                let digits = String(byte, radix: 16)
                escaped += Array("\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
            }
            isEscape = byte == UInt8(ascii: "\\") && !isEscape
        }
        #expect(escaped.count > body.count * 2)
        #expect(try EventDecoder(metadataKey: "org_id").decode(escaped.span) == original(body))
    }

    private func original(_ body: [UInt8]) throws -> Event {
        try EventDecoder(metadataKey: "org_id").decode(body.span)
    }

    /// Expects that the body with each member changed decodes to the same event.
    private func expectSame(_ entry: Corpus.Entry, _ change: (String, Any) -> (String, Any)) throws {
        let body = try entry.body()
        let tree = changed(try JSONSerialization.jsonObject(with: Data(body)), change)
        let other = [UInt8](try JSONSerialization.data(withJSONObject: tree))
        #expect(try EventDecoder(metadataKey: "org_id").decode(other.span) == original(body))
    }

    private func changed(_ value: Any, _ change: (String, Any) -> (String, Any)) -> Any {
        if let object = value as? [String: Any] {
            return Dictionary(
                uniqueKeysWithValues: object.map { member in
                    let (key, value) = change(member.key, member.value)
                    return (key, changed(value, change))
                })
        }
        if let array = value as? [Any] { return array.map { changed($0, change) } }
        return value
    }
}
