import Testing
import Wire

@Suite struct NameIndexTests {
    @Test func `an index finds each of its names and no other`() {
        let names = (0..<NameIndex.Limits.names_max).map { String(repeating: "n", count: $0 % 30) + String($0) }
        let index = NameIndex(names)
        for (place, name) in names.enumerated() {
            #expect(index.place(of: JSONName(name)) == place)
            #expect(index.place(of: JSONName(name + "x")) == nil)
        }
        #expect(index.place(of: .unmatched) == nil)
        #expect(index.place(of: JSONName("")) == nil)
        #expect(NameIndex([]).place(of: JSONName("a")) == nil)
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
