import Status
import Testing
import Wire

/// One declaration of fields writes, reads and documents an object.
@Suite struct StatusObjectTests {
    @Test func `what is written is read again`() throws {
        var document = StatusDocument()
        document.now = Timestamp(milliseconds: 1_764_000_000_123)
        document.health.state = .degraded
        document.health.problems = [Problem()]
        document.health.problems[0].what = "quotes \" and \u{9B}31m and \u{202E} and\nlines"
        document.intake.eventsPerSecond = 12.5
        document.journal = JournalStatus()
        document.journal?.isUp = false
        document.destinations = [DestinationStatus(), DestinationStatus()]
        document.destinations[1].spool = SpoolStatus()
        document.destinations[1].plots = [Plot()]
        document.destinations[1].plots[0].points = [nil, 0, 1.25, -3]
        #expect(try StatusDocument(json: document.json) == document)
    }

    @Test func `fields that are not known are passed over, and those that are not there are absent`() throws {
        let json = #"{"later":{"a":[1,{"b":null}]},"intake":{"queue_events":7,"x":1},"health":{"state":"new word"}}"#
        let document = try StatusDocument(json: Array(json.utf8))
        #expect(document.intake.queue == 7)
        #expect(document.health.state == .unknown)
        #expect(document.journal == nil)
    }

    @Test func `what is no document is a fault`() {
        for json in [
            "", "[]", "{", #"{"intake":7}"#, #"{"now_timestamp_seconds":"x"}"#, "{} {}", #"{"lkpush":{"series":1.5}}"#,
        ] {
            #expect(throws: DecodingFault.self) { _ = try StatusDocument(json: Array(json.utf8)) }
        }
    }
}
