import LiveKit
import Recording
import Wire

/// The cost of a poll of LiveKit's API where nothing differs: the list is read on the poller's thread, and compared on
/// the recorder's, which takes no event meanwhile.
enum PollCases {
    private static let size = Population.Size(participants: 50_000, rooms: 10_000, organizations: 1_000)
    /// Applications put more into the metadata of a room than lkpush reads: it makes the answer 10 MB.
    private static let metadata_bytes = 700

    static var all: [BenchmarkCase] {
        [
            BenchmarkCase("poll/read \(size.rooms) rooms", per: "poll") { read() },
            BenchmarkCase("poll/compare \(size.text)", per: "poll") { compare() },
            BenchmarkCase("poll/take \(size.text)", per: "poll") { take() },
        ]
    }

    private static func office() -> (BenchFixture, [ListedRoom]) {
        let fixture = BenchFixture(.fixed(id: "acme", name: "Acme"))
        var population = Population(size, doAllPublish: true)
        var rooms: [String: ListedRoom] = [:]
        population.furnish { event in
            fixture.apply(event, at: Timestamp(milliseconds: event.createdAt * 1_000))
            if case .roomStarted = event.body { rooms[event.room.sid] = ListedRoom(room: event.room) }
            if case .participantJoined = event.body { rooms[event.room.sid]?.participants += 1 }
        }
        return (fixture, rooms.values.sorted { $0.room.sid < $1.room.sid })
    }

    private static func read() -> Workload {
        let (_, rooms) = office()
        var body = Array(#"{"rooms":["#.utf8)
        let metadata = String(repeating: "x", count: metadata_bytes)
        for (place, listed) in rooms.enumerated() {
            if place > 0 { body.append(UInt8(ascii: ",")) }
            body += #"{"sid":"\#(listed.room.sid)","name":"\#(listed.room.name)","empty_timeout":300,"#.utf8
            body += #""departure_timeout":20,"max_participants":0,"creation_time":"1790000000","#.utf8
            body += #""creation_time_ms":"1790000000000","turn_password":"","enabled_codecs":[],"#.utf8
            body += #""metadata":"\#(metadata)","num_participants":\#(listed.participants),"num_publishers":0}"#.utf8
        }
        body += "]}".utf8
        return Workload(
            operations: 1,
            run: {
                do throws(DecodingFault) {
                    blackHole(try ListPage<ListedRoom>(body.span).elements.count)
                } catch {
                    Program.printError("\(error)\n")
                }
            },
            note: { "an answer of \(body.count) bytes" })
    }

    private static func compare() -> Workload {
        let (fixture, rooms) = office()
        let listing = Listing(rooms: rooms)
        return Workload(
            operations: 1,
            run: { blackHole(fixture.recorder.compare(listing).differingRooms.count) },
            note: { "\(fixture.recorder.compare(listing).differingRooms.count) rooms differ" })
    }

    private static func take() -> Workload {
        let (fixture, _) = office()
        var now = Timestamp(seconds: 1_790_100_000)
        return Workload(
            operations: 1,
            run: {
                now = now + .seconds(60)
                fixture.apply(PollResult(askedAt: now), at: now)
            },
            note: {
                var writer = MessageWriter()
                Input.poll(PollResult(askedAt: now), at: now).encode(into: &writer)
                return "\(writer.count) bytes of the journal"
            })
    }
}
