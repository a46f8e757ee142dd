import TestSupport
import Testing
import Wire

@Suite struct MessageTests {
    @Test func `every kind of field is read as it was written`() throws {
        var writer = MessageWriter()
        writer.field(1, 300 as UInt64)
        writer.field(2, Int64.min)
        writer.field(3, -0.5)
        writer.field(4, "émile \0")
        writer.field(5, true)
        writer.field(6, bytes: [])
        writer.field(7, fixed: .max)
        writer.element(8, "")
        writer.element(9, 0)
        writer.message(10) { $0.message(1) { $0.field(1, 7) } }
        writer.field(2_000, UInt64.max)
        var reader = MessageReader(writer.bytes)
        #expect(try reader.next() == 1 && reader.uint64() == 300)
        #expect(try reader.next() == 2 && reader.int64() == .min)
        #expect(try reader.next() == 3 && reader.double() == -0.5)
        #expect(try reader.next() == 4 && reader.string() == "émile \0")
        #expect(try reader.next() == 5 && reader.bool())
        #expect(try reader.next() == 6 && reader.byteArray() == [])
        #expect(try reader.next() == 7 && reader.fixed64() == .max)
        #expect(try reader.next() == 8 && reader.string() == "")
        #expect(try reader.next() == 9 && reader.int64() == 0)
        #expect(try reader.next() == 10)
        var outer = try reader.message()
        #expect(try outer.next() == 1)
        var inner = try outer.message()
        #expect(try inner.next() == 1 && inner.int() == 7 && inner.next() == nil)
        #expect(try outer.next() == nil)
        #expect(try reader.next() == 2_000)
        try reader.skip()
        #expect(try reader.next() == nil)
    }

    @Test func `zero and nothing take no room`() {
        var writer = MessageWriter()
        writer.field(1, 0)
        writer.field(2, "")
        writer.field(3, false)
        writer.field(4, 0.0)
        #expect(writer.bytes == [])
    }

    @Test func `whatever the bytes are, reading ends, and stays inside`() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
                UInt8.random(in: 0 ... .max, using: &generator)
            }
            var reader = MessageReader(bytes)
            var fields = 0
            while (try? reader.next()) ?? nil != nil {
                if (try? reader.skip()) == nil { break }
                fields += 1
            }
            #expect(fields <= bytes.count)
        }
    }

    @Test func `a message that is cut anywhere is refused or ends at a field`() {
        var writer = MessageWriter()
        writer.message(1) { $0.field(1, "text") }
        for count in 1..<writer.count {
            var reader = MessageReader(Array(writer.bytes.prefix(count)))
            #expect(throws: MessageFault.self) {
                while try reader.next() != nil { try reader.skip() }
            }
        }
    }

    /// RFC 3720, appendix B.4.
    @Test func `the checksum is the one of the RFC, however the bytes are cut`() {
        #expect(Checksum.crc32c([UInt8](repeating: 0, count: 32).span) == 0x8A91_36AA)
        #expect(Checksum.crc32c([UInt8](repeating: 0xFF, count: 32).span) == 0x62A8_AB43)
        #expect(Checksum.crc32c(Array(0..<32 as Range<UInt8>).span) == 0x46DD_794E)
        let bytes = Array(0..<29 as Range<UInt8>)
        for cut in bytes.indices {
            let first = Checksum.crc32c(Array(bytes[..<cut]).span)
            #expect(Checksum.crc32c(Array(bytes[cut...]).span, after: first) == Checksum.crc32c(bytes.span))
        }
    }
}
