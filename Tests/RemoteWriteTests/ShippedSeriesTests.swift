import RemoteWrite
import TestSupport
import Testing
import Wire

/// The rows of the journal about series that receivers hold.
@Suite struct ShippedSeriesTests {
    private static let keys = [
        SeriesKey(family: "up", labelValues: []), SeriesKey(family: "t_total", labelValues: [""]),
        SeriesKey(family: "lk_rooms_started_total", labelValues: ["default", "eu-central", "8d2f", "ä\u{0}\"\n"]),
        SeriesKey(family: "eu", labelValues: ["default"]), SeriesKey(family: "default", labelValues: ["eu"]),
    ]
    private static let all = keys.flatMap { key in
        ["default", "eu", "archive", "e", "u"].map { ShippedSeries(destination: $0, key: key) }
    }

    @Test func `a series survives its bytes, and no other one has them`() throws {
        for series in Self.all {
            #expect(try ShippedSeries(bytes: series.bytes) == series)
            #expect(try ShippedSeries(bytes: series.bytes).bytes == series.bytes)
        }
        #expect(Set(Self.all.map(\.bytes)).count == Self.all.count)
    }

    @Test func `a series of the default destination has the bytes that it always had`() {
        for key in Self.keys { #expect(ShippedSeries(destination: "default", key: key).bytes == key.bytes) }
        let series = ShippedSeries(destination: "default", key: SeriesKey(family: "up", labelValues: ["", "a"]))
        #expect(series.bytes == [0x0A, 2, 0x75, 0x70, 0x12, 0, 0x12, 1, 0x61])
    }

    /// Programs before this version read every row as a key, and leave out what they cannot read.
    @Test func `a program of one destination passes over the series of any other`() throws {
        let read = Self.all.compactMap { try? SeriesKey(bytes: $0.bytes) }
        #expect(read == Self.keys)
    }

    @Test func `protoc reads a series with our schema`() throws {
        let series = ShippedSeries(destination: "eu", key: SeriesKey(family: "up", labelValues: ["a", "b"]))
        let text = #"""
            destination: "eu"
            key {
              family: "up"
              label_values: "a"
              label_values: "b"
            }

            """#
        #expect(try Protoc.decodeJournal(series.bytes, "ShippedSeries") == text)
        let alone = try Protoc.decodeJournal(series.key.bytes, "SeriesKey")
        #expect(alone == "family: \"up\"\nlabel_values: \"a\"\nlabel_values: \"b\"\n")
    }

    @Test func `what is cut, lacks a key or names the default destination is refused`() throws {
        let series = ShippedSeries(destination: "eu", key: SeriesKey(family: "t_total", labelValues: ["a", "b"]))
        for length in 0..<series.bytes.count {
            #expect(throws: MessageFault.self) { try ShippedSeries(bytes: Array(series.bytes[..<length])) }
        }
        var named = MessageWriter()
        named.field(3, "default")
        named.message(4) { series.key.encode(into: &$0) }
        #expect(throws: MessageFault.self) { try ShippedSeries(bytes: named.bytes) }
        var later = MessageWriter()
        later.field(9, 7 as UInt64)
        let bytes = later.bytes + series.bytes + later.bytes
        #expect(try ShippedSeries(bytes: bytes) == series)
    }

    @Test func `each destination gets its own series, and all get the last reading and the labels`() {
        let states = ShippedStates(lastReading: Timestamp(seconds: 9), labels: "a", series: Self.all)
        for destination in ["default", "eu", "archive"] {
            #expect(
                states[destination]
                    == ShippedState(lastReading: Timestamp(seconds: 9), labels: "a", series: Self.keys))
        }
        #expect(states["new"] == ShippedState(lastReading: Timestamp(seconds: 9), labels: "a"))
        #expect(ShippedStates()["default"] == ShippedState())
    }
}
