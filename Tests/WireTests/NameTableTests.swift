import Testing
import Wire

@Suite struct NameTableTests {
    @Test func `a table finds each of its names and no other`() {
        let names = (0..<63).map { String(repeating: "n", count: $0 % 31) + String($0) }
        let table = NameTable<Int>(names.enumerated().map { ($1, $0) })
        for (index, name) in names.enumerated() {
            #expect(table[JSONName(name)] == index)
            #expect(table[JSONName(name + "x")] == nil)
        }
        #expect(table[.unmatched] == nil)
        #expect(table[JSONName("")] == nil)
    }

    @Test func `fields go by both spellings and no third`() {
        let table = NameTable<Int>(fields: [("joinedAtMs", 1), ("sid", 2)])
        #expect(table[JSONName("joinedAtMs")] == 1)
        #expect(table[JSONName("joined_at_ms")] == 1)
        #expect(table[JSONName("joinedat_ms")] == nil)
        #expect(table[JSONName("joinedatms")] == nil)
        #expect(table[JSONName("sid")] == 2)
        #expect(table[JSONName("Sid")] == nil)
    }

    @Test func `names of up to 32 bytes differ in each byte, longer ones match nothing`() {
        for count in 1...32 {
            let name = [UInt8](repeating: 0x61, count: count)
            for index in name.indices {
                var other = name
                other[index] = 0x62
                #expect(
                    JSONName(String(decoding: name, as: UTF8.self)) != JSONName(String(decoding: other, as: UTF8.self)))
            }
        }
        #expect(JSONName(String(repeating: "a", count: 33)) == .unmatched)
        #expect(JSONName(String(repeating: "a", count: 32)) != .unmatched)
    }

    @Test func `a key is the same name wherever it stands in the bytes`() throws {
        for name in [
            "", "a", "event", "creationTimeMs", "participant_connection_aborted", String(repeating: "z", count: 32),
        ] {
            for tail in [0, 1, 40] {
                let bytes = Array("{\"\(name)\":1\(String(repeating: " ", count: tail))}".utf8)
                var reader = JSONReader()
                #expect(try reader.beginObject(bytes.span))
                #expect(try reader.nextKey(bytes.span) == JSONName(name))
            }
        }
    }
}
