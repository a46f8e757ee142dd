import Metrics
import RemoteWrite
import Testing
import Wire

@Suite struct SeriesKeyTests {
    @Test(arguments: [
        SeriesKey(family: "up", labelValues: []), SeriesKey(family: "t_total", labelValues: [""]),
        SeriesKey(family: "t_total", labelValues: ["", "", "a"]),
        SeriesKey(family: "lk_rooms_started_total", labelValues: ["default", "eu-central", "8d2f", "ä\u{0}\"\n"]),
    ])
    func `a key survives its bytes`(_ key: SeriesKey) throws {
        #expect(try SeriesKey(bytes: key.bytes) == key)
        #expect(try SeriesKey(bytes: key.bytes).bytes == key.bytes)
    }

    @Test func `a key of ours takes less than 80 bytes`() {
        let id = "0d9d7bb1-52a4-4a4c-8ef4-4b6e3a6f2c11"
        let key = SeriesKey(family: "lk_rooms_started_total", labelValues: ["default", "eu", id])
        #expect(key.bytes.count == 75)
    }

    @Test func `texts that only look the same make different keys`() throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        try #require(composed == decomposed)
        let keys = [composed, decomposed].map { SeriesKey(family: "t_total", labelValues: [$0]) }
        #expect(keys[0] != keys[1])
        #expect(Set(keys).count == 2)
        #expect(keys[0] < keys[1] || keys[1] < keys[0])
    }

    @Test func `a value that moves to another place makes another key`() {
        let keys: Set = [
            SeriesKey(family: "t", labelValues: ["a", ""]), SeriesKey(family: "t", labelValues: ["", "a"]),
            SeriesKey(family: "t", labelValues: ["a"]), SeriesKey(family: "ta", labelValues: []),
        ]
        #expect(keys.count == 4)
        #expect(Set(keys.map(\.bytes)).count == 4)
    }

    @Test func `fields of a newer program are passed over, and what is cut is refused`() throws {
        let key = SeriesKey(family: "t_total", labelValues: ["a", "b"])
        var writer = MessageWriter()
        writer.field(9, 7 as UInt64)
        key.encode(into: &writer)
        writer.field(8, "later")
        #expect(try SeriesKey(bytes: writer.bytes) == key)
        #expect(throws: MessageFault.self) { try SeriesKey(bytes: []) }
        let cuts = (1..<key.bytes.count).map { try? SeriesKey(bytes: Array(key.bytes[..<$0])) }
        #expect(cuts.allSatisfy { $0 != key })
    }

    @Test func `the fingerprint of labels says which they are, in no order`() throws {
        func fingerprint(_ external: [(name: String, value: String)]) throws -> String {
            try CommonLabels(job: "j", instance: "i", external: external).fingerprint
        }
        #expect(try fingerprint([]) == #"instance="i",job="j""#)
        #expect(
            try fingerprint([(name: "z", value: "1"), (name: "a", value: "2")])
                == fingerprint([(name: "a", value: "2"), (name: "z", value: "1")]))
        #expect(try fingerprint([(name: "a", value: #"1",b="2"#)]) == #"a="1\",b=\"2",instance="i",job="j""#)
        #expect(
            try fingerprint([(name: "a", value: #"1",b="2"#)])
                != fingerprint([(name: "a", value: "1"), (name: "b", value: "2")]))
    }

    @Test func `series whose labels only look the same are both sent`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        try #require(family.series(["caf\u{E9}"])).set(1)
        try #require(family.series(["cafe\u{301}"])).set(2)
        #expect(Set(try fixture.tick(15).map { $0.suffix(7) }) == ["1@15000", "2@15000"])
    }
}
