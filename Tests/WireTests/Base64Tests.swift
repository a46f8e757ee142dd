import TestSupport
import Testing
import Wire

@Suite struct Base64Tests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let plain: String
        let standard: String
        let url: String
        var testDescription: String { plain.isEmpty ? "empty" : plain }
    }

    /// https://www.rfc-editor.org/rfc/rfc4648#section-10, and one with the characters that differ.
    static let vectors = [
        Vector(plain: "", standard: "", url: ""),
        Vector(plain: "f", standard: "Zg==", url: "Zg"),
        Vector(plain: "fo", standard: "Zm8=", url: "Zm8"),
        Vector(plain: "foo", standard: "Zm9v", url: "Zm9v"),
        Vector(plain: "foob", standard: "Zm9vYg==", url: "Zm9vYg"),
        Vector(plain: "fooba", standard: "Zm9vYmE=", url: "Zm9vYmE"),
        Vector(plain: "foobar", standard: "Zm9vYmFy", url: "Zm9vYmFy"),
        Vector(plain: "~~~???", standard: "fn5+Pz8/", url: "fn5-Pz8_"),
    ]

    @Test(arguments: vectors)
    func `the vectors of the RFC go both ways`(vector: Vector) {
        let plain = Array(vector.plain.utf8)
        #expect(Base64.standard.encode(plain.span) == Array(vector.standard.utf8))
        #expect(Base64.url.encode(plain.span) == Array(vector.url.utf8))
        #expect(decode(vector.standard, .standard) == plain)
        #expect(decode(vector.url, .url) == plain)
    }

    @Test(arguments: Base64.allCases)
    func `what is encoded decodes to itself, at every length`(alphabet: Base64) {
        var generator = SeededGenerator(seed: 1)
        for count in 0..<100 {
            let plain = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = alphabet.encode(plain.span)
            #expect(text.count == alphabet.encodedCount(of: count))
            #expect(alphabet.decode(text.span) == plain)
        }
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zg===", "Z", "Z===", "=", "====", "Zm9vY", "Zm9v=", "Zm9v====", "Z=g=", "=Zg=", "Zh==", "Zm9=",
        "Zm9v\n",
        " Zm9v", "Zm 9", "fn5-Pz8_", "Zm9\u{e9}",
    ])
    func `the padded alphabet takes nothing but its own spelling`(text: String) {
        #expect(decode(text, .standard) == nil)
    }

    @Test(arguments: ["Zg==", "Zm8=", "Z", "Zm9vY", "Zh", "Zm9", "fn5+Pz8/", "Zg\n", "="])
    func `the alphabet for tokens takes nothing but its own spelling`(text: String) {
        #expect(decode(text, .url) == nil)
    }

    /// Every text of up to four characters of a small alphabet either decodes and encodes back to itself, or does not
    /// decode.
    @Test(arguments: Base64.allCases)
    func `no bytes have two spellings`(alphabet: Base64) {
        let characters = Array("AQgw/_+-=\n".utf8)
        var texts: [[UInt8]] = [[]]
        for _ in 0..<4 {
            texts += texts.flatMap { text in characters.map { text + [$0] } }
            texts = Array(Set(texts))
        }
        for text in texts {
            guard let bytes = alphabet.decode(text.span) else { continue }
            #expect(alphabet.encode(bytes.span) == text)
        }
    }

    private func decode(_ text: String, _ alphabet: Base64) -> [UInt8]? {
        let bytes = Array(text.utf8)
        return alphabet.decode(bytes.span)
    }
}
