import Testing
import Wire

@Suite struct JSONReaderTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let text: String
        let fault: DecodingFault.Reason?
        init(_ text: String, _ fault: DecodingFault.Reason? = nil) { (self.text, self.fault) = (text, fault) }
        var testDescription: String { text }
    }

    /// Whole documents, which are only skipped. https://www.rfc-editor.org/rfc/rfc8259
    static let documents: [Vector] = [
        Vector("null"), Vector("true"), Vector("false"), Vector(" \t\r\n0 \t\r\n"), Vector("-0"), Vector("1.5e+10"),
        Vector("1E-2"), Vector(#""""#), Vector(#""a\"\\\/\b\f\n\r\t\u00e9""#), Vector("[]"), Vector("{}"),
        Vector("[[],{}]"),
        Vector(#"{"a":[1,{"b":null}],"c":{}}"#), Vector(#"{"a":1,"a":2}"#), Vector("[ 1 , 2 ]"),
        Vector(#"{ "a" : 1 }"#),
        Vector(#""\ud800""#),
        Vector("", .unexpected_end), Vector("  ", .unexpected_end), Vector("[", .unexpected_end),
        Vector("{", .unexpected_end), Vector("[1", .unexpected_end), Vector("[1,", .unexpected_end),
        Vector(#"{"a""#, .unexpected_end), Vector(#"{"a":"#, .unexpected_end), Vector(#"{"a":1"#, .unexpected_end),
        Vector(#"{"a":1,"#, .unexpected_end), Vector(#"""#, .unexpected_end), Vector(#""\"#, .unexpected_end),
        Vector(#""\u12"#, .unexpected_end), Vector("tru", .unexpected_end), Vector("-", .unexpected_end),
        Vector("1.", .unexpected_end), Vector("1e", .unexpected_end), Vector("1e+", .unexpected_end),
        Vector("nul!", .unexpected_byte), Vector("True", .unexpected_byte), Vector("+1", .unexpected_byte),
        Vector(".5", .unexpected_byte), Vector("-a", .unexpected_byte), Vector("1.e1", .unexpected_byte),
        Vector("NaN", .unexpected_byte), Vector("'a'", .unexpected_byte), Vector("[1 2]", .unexpected_byte),
        Vector("[1,]", .unexpected_byte), Vector("[,1]", .unexpected_byte), Vector("[1}", .unexpected_byte),
        Vector(#"{"a":1]"#, .unexpected_byte), Vector(#"{"a":1,}"#, .unexpected_byte), Vector("{,}", .unexpected_byte),
        Vector("{a:1}", .unexpected_byte), Vector("{1:1}", .unexpected_byte), Vector(#"{"a" 1}"#, .unexpected_byte),
        Vector(#"{"a":}"#, .unexpected_byte), Vector(#"{"a"::1}"#, .unexpected_byte),
        Vector(#""\x""#, .unexpected_byte),
        Vector(#""\u12g4""#, .unexpected_byte), Vector("\"a\nb\"", .unexpected_byte),
        Vector("\"\0\"", .unexpected_byte),
        Vector("[01]", .unexpected_byte), Vector("]", .unexpected_byte), Vector("/* a */ 1", .unexpected_byte),
        Vector("\u{feff}1", .unexpected_byte), Vector("\u{b}1", .unexpected_byte),
        Vector("01", .trailing_bytes), Vector("1 2", .trailing_bytes), Vector("{}x", .trailing_bytes),
        Vector("[]]", .trailing_bytes), Vector("nulll", .trailing_bytes), Vector("1\0", .trailing_bytes),
    ]

    @Test(arguments: documents)
    func `a skipped document is checked against the grammar`(vector: Vector) {
        #expect(
            fault(of: vector.text) { reader, bytes throws(DecodingFault) in try reader.skip(bytes) } == vector.fault)
    }

    @Test(arguments: documents)
    func `an array of it is good or bad when it is itself, walked or skipped`(vector: Vector) {
        let isGood = vector.fault == nil
        let skipped = fault(of: "[\(vector.text)]") { reader, bytes throws(DecodingFault) in try reader.skip(bytes) }
        let walked = fault(of: "[\(vector.text)]") { reader, bytes throws(DecodingFault) in
            _ = try reader.beginArray(bytes)
            while try reader.nextElement(bytes) { try reader.skip(bytes) }
        }
        // Between brackets nothing is an empty array.
        guard !vector.text.allSatisfy(\.isWhitespace) else { return }
        #expect((skipped == nil) == isGood)
        #expect((walked == nil) == isGood)
    }

    @Test func `64 open containers are read, one more is refused, skipped or entered`() {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            for (count, expected) in [
                (64, nil), (65, DecodingFault.Reason.nested_too_deeply), (100_000, .nested_too_deeply),
            ] {
                let inner = open == "[" ? "" : "1"
                let text =
                    String(repeating: open, count: count) + inner + String(repeating: close, count: count)
                let skipped = fault(of: text) { reader, bytes throws(DecodingFault) in try reader.skip(bytes) }
                #expect(skipped == expected)
                let entered = fault(of: text) { reader, bytes throws(DecodingFault) in try descend(&reader, bytes) }
                #expect(entered == expected)
            }
        }
        #expect(JSONReader.Limits.nesting_max == 64)
    }

    /// Half of the way with keys and elements, the rest skipped.
    private func descend(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) {
        var entered = 0
        while entered < 32 {
            entered += 1
            if try reader.peek(bytes) == UInt8(ascii: "[") {
                guard try reader.beginArray(bytes), try reader.nextElement(bytes) else { break }
            } else {
                guard try reader.beginObject(bytes), try reader.nextKey(bytes) != nil else { break }
            }
        }
        try reader.skip(bytes)
        for _ in 0..<entered {
            if try reader.peek(bytes) == UInt8(ascii: "]") {
                _ = try reader.nextElement(bytes)
            } else {
                _ = try reader.nextKey(bytes)
            }
        }
    }

    @Test(arguments: [
        [#""""#, ""], [#""room""#, "room"], [#""Zoë 😀""#, "Zoë 😀"], [#""\u005a\u006f\u00EB \uD83D\ude00""#, "Zoë 😀"],
        [#""a\"b\\c\/d\b\f\n\r\te""#, "a\"b\\c/d\u{8}\u{c}\n\r\te"],
        [#""0123456789\n0123456789""#, "0123456789\n0123456789"],
        [#""\u0000""#, "\0"], [#""\uFFFF""#, "\u{ffff}"],
    ])
    func `text comes without its escapes`(pair: [String]) throws {
        let bytes = Array(pair[0].utf8)
        var reader = JSONReader()
        #expect(try reader.readText(bytes.span) == pair[1])
        try reader.finish(bytes.span)
    }

    @Test(arguments: [
        #""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\n""#, #""\ud800\ud800""#, #""\udc00\ud800""#,
        #""\ud83d\u0041""#,
        #""a\ud83d""#,
    ])
    func `half of a surrogate pair is no text`(text: String) {
        let reason = fault(of: text) { reader, bytes throws(DecodingFault) in _ = try reader.readText(bytes) }
        #expect(reason == .invalid_text)
    }

    @Test(
        arguments: [
            [0xFF], [0xC3], [0xC3, 0x28], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
            [0x80],
        ] as [[UInt8]])
    func `text that is kept is UTF-8, text that is skipped may be anything`(bad: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        for tail in [[], Array(#"\n"#.utf8)] {
            let bytes = [quote] + Array("abc".utf8) + bad + tail + [quote]
            var reader = JSONReader()
            #expect(throws: DecodingFault.self) { try reader.readText(bytes.span) }
            var skipping = JSONReader()
            #expect(throws: Never.self) { try skipping.skip(bytes.span) }
        }
    }

    @Test func `a value of another type is told from garbage`() {
        for text in ["1", "true", "{}", "[]", "-1"] {
            #expect(
                fault(of: text) { reader, bytes throws(DecodingFault) in _ = try reader.readText(bytes) } == .wrong_type
            )
        }
        for text in [#""a""#, "true", "1", "[]"] {
            #expect(
                fault(of: text) { reader, bytes throws(DecodingFault) in _ = try reader.beginObject(bytes) }
                    == .wrong_type)
        }
        for text in ["true", "{}", "[]"] {
            #expect(
                fault(of: text) { reader, bytes throws(DecodingFault) in _ = try reader.readInteger(bytes) }
                    == .wrong_type)
            #expect(
                fault(of: text) { reader, bytes throws(DecodingFault) in _ = try reader.readEnumeration(bytes) }
                    == .wrong_type)
        }
        for text in ["x", "}", ",", ":"] {
            #expect(
                fault(of: text) { reader, bytes throws(DecodingFault) in _ = try reader.readText(bytes) }
                    == .unexpected_byte)
        }
    }

    @Test func `null is nothing, whatever is asked for`() throws {
        let bytes = Array("null".utf8)
        var readers = [JSONReader](repeating: JSONReader(), count: 6)
        #expect(try readers[0].readText(bytes.span) == nil)
        #expect(try readers[1].readInteger(bytes.span) == nil)
        #expect(try readers[2].readEnumeration(bytes.span) == nil)
        #expect(try readers[3].readFloor(bytes.span) == nil)
        #expect(try !readers[4].beginObject(bytes.span))
        #expect(try !readers[5].beginArray(bytes.span))
        for index in readers.indices { try readers[index].finish(bytes.span) }
    }

    @Test func `keys match however they are escaped, and only if they are whole`() throws {
        let long = String(repeating: "k", count: 33)
        let bytes = Array(#"{"sid":1,"s\u0069d":2,"si\u0064\u0000":3,"\ud800":4,"":5,"\#(long)":6,"SID":7}"#.utf8)
        var reader = JSONReader()
        var keys: [JSONName] = []
        #expect(try reader.beginObject(bytes.span))
        while let key = try reader.nextKey(bytes.span) {
            keys.append(key)
            try reader.skip(bytes.span)
        }
        try reader.finish(bytes.span)
        #expect(
            keys == [
                JSONName("sid"), JSONName("sid"), .unmatched, .unmatched, JSONName(""), .unmatched, JSONName("SID"),
            ])
    }

    @Test func `enum values come by name or by number, and strange ones match nothing`() throws {
        let texts = [#""VIDEO""#, #""VID\u0045O""#, "1", "1.0", "-1", "1.5", "1e99"]
        let values = try texts.map { text in
            let bytes = Array(text.utf8)
            var reader = JSONReader()
            return try reader.readEnumeration(bytes.span)
        }
        let video = JSONName("VIDEO")
        #expect(
            values == [
                .name(video), .name(video), .number(1), .number(1), .number(-1), .name(.unmatched), .name(.unmatched),
            ])
    }

    /// Runs a reading to the end of `text`; nil where nothing is wrong.
    private func fault(
        of text: String, reading: (inout JSONReader, Span<UInt8>) throws(DecodingFault) -> Void
    ) -> DecodingFault.Reason? {
        let bytes = Array(text.utf8)
        var reader = JSONReader()
        do throws(DecodingFault) {
            try reading(&reader, bytes.span)
            try reader.finish(bytes.span)
            return nil
        } catch {
            #expect((0...bytes.count).contains(error.offset))
            return error.reason
        }
    }
}
