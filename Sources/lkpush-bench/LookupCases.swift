import Exporter
import HTTPServing
import LiveKit
import Metrics
import Platform
import TestSupport
import Wire

/// A crowd of new rooms that need a lookup in a slow database, and meanwhile events of known rooms.
enum LookupCases {
    private static let name = "lookups/10000 new rooms"
    private static let rooms = 10_000
    /// The crowd comes evenly within one second, in so many slices.
    private static let slices = 20
    private static let knownRooms = 50
    /// The delay of each query, and of each answer: 20 ms for both.
    private static let delay = Duration.milliseconds(10)
    private static let patience = Duration.seconds(60)

    static var all: [BenchmarkCase] {
        [
            BenchmarkCase(name, per: "room") { (_: Stopwatch) -> Measurement? in
                do {
                    return try measure()
                } catch {
                    Program.printError("\(name): \(error)\n")
                    return nil
                }
            }
        ]
    }

    private static func measure() throws -> Measurement {
        // The server's log counts the queries.
        let server = try PostgresServer(settings: ["log_statement": "all", "log_parameter_max_length": "0"])
        let database = try server.newDatabase()
        try seed(server, database)
        let proxy = try StallingProxy(to: server.port)
        let url = server.url(database: database, port: proxy.port)
        let folder = ScratchFolder()
        let service = try HTTPCases.start([
            "STATE_DIR": folder.path, "DATABASE_URL": url, "ORG_SOURCE": "database",
        ])
        defer { _ = service.stop() }

        // One new room is sent, too, so that its organization's counter exists when it is read.
        let port = service.publicAddress.port
        try Client(port).send((0..<knownRooms).map { opening($0) } + [opening(knownRooms)])
        let started = try counter("lk_rooms_started_total", of: "org_new", in: service)
        let joined = try counter("lk_participant_sessions_total", of: "org_known", in: service) {
            try Client(port).send([joining(room: 0, person: "first")])
        }
        let known = try counter("lk_rooms_started_total", of: "org_known", in: service)
        try wait { known.value == Double(knownRooms) }
        proxy.change(to: .passing(delay: delay))
        let queriesBefore = queries(server)

        let time = SystemTime()
        let begin = time.monotonic()
        let crowd = Crowd(port: port)
        var longest = Duration.zero
        var count = 0
        let client = try Client(port)
        let target = Double(rooms + 1)
        while started.value < target {
            guard time.monotonic().since(begin) < patience else {
                throw LoadGenerator.LoadError(description: "only \(started.value) rooms of \(target) were found")
            }
            let before = joined.value
            let sent = time.monotonic()
            try client.send([joining(room: count % knownRooms, person: "\(count)")])
            try wait { joined.value > before }
            longest = max(longest, time.monotonic().since(sent))
            count += 1
        }
        let took = time.monotonic().since(begin)
        let posted = try crowd.end()
        let asked = queries(server) - queriesBefore
        let perQuery = rooms / max(1, asked)
        let note = """
            \(perQuery) rooms per query (\(asked) queries with 20 ms more each), posted in \(posted.milliseconds) ms, all \
            found after \(took.milliseconds) ms; \(count) events of known rooms meanwhile, the slowest counted after \
            \(longest.milliseconds) ms
            """
        let each = Double(took.milliseconds) * 1e6 / Double(rooms)
        return Measurement(samples: 1, best_ns: each, p50_ns: each, p90_ns: each, allocations: 0, note: note)
    }

    // MARK: The office

    /// The id of a room by its number, from 0. Known rooms come first.
    private static func id(_ number: Int) -> String { "00000000-0000-4000-8000-\(100_000_000_000 + number)" }

    private static func seed(_ server: PostgresServer, _ database: String) throws {
        try server.execute(
            [
                "CREATE TABLE organizations (id bigint PRIMARY KEY, workos_org_id text UNIQUE, name text NOT NULL)",
                "CREATE TABLE rooms (id uuid PRIMARY KEY, organization_id bigint REFERENCES organizations (id))",
                "INSERT INTO organizations VALUES (1, 'org_known', 'Known'), (2, 'org_new', 'New')",
                """
                INSERT INTO rooms SELECT ('00000000-0000-4000-8000-' || 100000000000 + number)::uuid,
                    CASE WHEN number < \(knownRooms) THEN 1 ELSE 2 END
                FROM generate_series(0, \(knownRooms + rooms)) AS number
                """, "ANALYZE rooms",
            ], in: database)
    }

    private static func opening(_ number: Int) -> [UInt8] {
        let now = SystemTime().now().milliseconds / 1_000
        return Array(
            #"{"event":"room_started","id":"EV_\#(number)","createdAt":"\#(now)","room":{"sid":"RM_\#(number)","name":"\#(id(number))"}}"#
                .utf8)
    }

    private static func joining(room number: Int, person: String) -> [UInt8] {
        let now = SystemTime().now().milliseconds / 1_000
        let room = #""room":{"sid":"RM_\#(number)","name":"\#(id(number))"}"#
        let participant = #""participant":{"sid":"PA_\#(person)","identity":"\#(person)"}"#
        return Array(
            #"{"event":"participant_joined","id":"EV_\#(person)_joined","createdAt":"\#(now)",\#(room),\#(participant)}"#
                .utf8)
    }

    // MARK: Senders

    /// One connection.
    private struct Client {
        private let generator: LoadGenerator
        private let signer = TokenSigner(key: TokenCases.key, secret: TokenCases.secret)

        init(_ port: UInt16, connections: Int = 1) throws {
            generator = try LoadGenerator(port: port, connections: connections)
        }

        func requests(_ bodies: [[UInt8]]) -> Requests {
            var requests = Requests()
            for body in bodies { requests.append(body, signer: signer) }
            return requests
        }

        func send(_ bodies: [[UInt8]]) throws {
            let requests = requests(bodies)
            try send(requests, 0..<requests.count)
        }

        func send(_ requests: Requests, _ range: Range<Int>) throws {
            let outcome = try generator.send(requests, range)
            guard outcome.good == range.count else {
                throw LoadGenerator.LoadError(description: "\(outcome.bad) webhooks were refused")
            }
        }
    }

    /// The thread that sends the new rooms.
    private struct Crowd {
        private let outcome = Monitor<Result<Duration, any Error>?>(nil)
        private let thread: NamedThread

        init(port: UInt16) {
            let outcome = outcome
            thread = NamedThread(name: "crowd") {
                let result = Result { try Self.send(port) }
                outcome.change { $0 = result }
            }
        }

        private static func send(_ port: UInt16) throws -> Duration {
            let client = try Client(port, connections: 64)
            let requests = client.requests((1...rooms).map { opening(knownRooms + $0) })
            let time = SystemTime()
            let begin = time.monotonic()
            for slice in 0..<slices {
                _ = Monitor(()).wait(until: begin + .milliseconds(1_000 * slice / slices)) { _ in nil as Void? }
                try client.send(requests, rooms * slice / slices..<rooms * (slice + 1) / slices)
            }
            return time.monotonic().since(begin)
        }

        /// Returns the time that the sending took.
        func end() throws -> Duration {
            thread.join()
            return try outcome.withLock { try $0?.get() ?? .zero }
        }
    }

    // MARK: Looking

    private static func wait(_ condition: () -> Bool) throws {
        let pause = Monitor(())
        let deadline = SystemTime().monotonic() + patience
        while !condition() {
            guard SystemTime().monotonic() < deadline else {
                throw LoadGenerator.LoadError(description: "an event did not arrive in \(patience)")
            }
            _ = pause.wait(until: SystemTime().monotonic() + .milliseconds(1)) { _ in nil as Void? }
        }
    }

    /// Returns the counter of an organization when it exists.
    private static func counter(
        _ family: String, of organization: String, in service: Service, after body: () throws -> Void = {}
    ) throws -> Counter {
        try body()
        var found: Counter?
        try wait {
            let series = service.registry.snapshot().first { $0.family.name == family }?.series
            guard
                case .counter(let counter) = series?.first(where: { $0.labelValues.contains(organization) })?.instrument
            else { return false }
            found = counter
            return true
        }
        guard let found else { throw LoadGenerator.LoadError(description: "no counter \(family)") }
        return found
    }

    private static func queries(_ server: PostgresServer) -> Int { server.log.count(of: "SELECT lkpush_asked.place") }
}

extension String {
    fileprivate func count(of text: String) -> Int { ranges(of: text).count }
}
