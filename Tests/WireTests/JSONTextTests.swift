import Foundation
import Testing
import Wire

@Suite struct JSONTextTests {
    private func written(_ text: String) -> String {
        var bytes: [UInt8] = []
        JSONText.append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func read(_ json: String) throws -> String? {
        try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed) as? String
    }

    /// Characters that a terminal obeys, or that reorder or break the text around them.
    private func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: scalar.properties.isBidiControl
        }
    }

    @Test func `every character comes back, and none that is hidden is in the document`() throws {
        var all = ""
        var hidden = 0
        for value in UInt32(0)...0x1_1000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = "a\(scalar)b"
            let json = written(text)
            #expect(!json.unicodeScalars.contains(where: isHidden), "U+\(String(value, radix: 16))")
            if isHidden(scalar) {
                hidden += 1
                #expect(try read(json) == text)
            } else if scalar != "\"" && scalar != "\\" {
                #expect(json == "\"\(text)\"", "U+\(String(value, radix: 16))")
            }
            all.unicodeScalars.append(scalar)
        }
        #expect(hidden > 70)
        #expect(try read(written(all)).map { Array($0.unicodeScalars) } == Array(all.unicodeScalars))
    }

    @Test(arguments: [
        ("", #""""#), ("plain", #""plain""#), ("a\"b\\c", #""a\"b\\c""#), ("\u{1B}[2J\r\n\t", #""\u001b[2J\r\n\t""#),
        ("\u{7F}\u{9B}31m", #""\u007f\u009b31m""#), ("room\u{202E}gnp.exe", #""room\u202egnp.exe""#),
        ("\u{2066}\u{2069}\u{200F}\u{61C}\u{2028}", #""\u2066\u2069\u200f\u061c\u2028""#),
        ("é–…\u{A0}؟ك", "\"é–…\u{A0}؟ك\""), ("👩‍👩‍👧", "\"👩‍👩‍👧\""),
    ])
    func `hostile text is spelled out`(_ text: String, _ json: String) { #expect(written(text) == json) }
}
