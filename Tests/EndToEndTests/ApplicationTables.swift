import Platform
import Synchronization
import TestSupport
import Testing
import Wire

/// The rows that lkpush wrote into its database, read with SQL of the tests' own.
struct ApplicationTables {
    struct Session: Hashable {
        let organization: String
        let user: Int64
        let day: String

        init(organization: String, user: Int64, day: String) {
            (self.organization, self.user, self.day) = (organization, user, day)
        }

        /// The row of a session of a day's sum.
        init(_ session: Reduction.Session) throws {
            organization = session.organization
            user = try ApplicationTables.user(session.identity)
            day = CivilDate(daysSinceEpoch: session.day).description
        }
    }

    struct Recording: Equatable {
        let organization: String
        let requestType: String
        let status: String
        let seconds: Double?
        let size: Int64
    }

    private(set) var sessions: [Session: (count: Int64, seconds: Double)] = [:]
    private(set) var recordings: [String: Recording] = [:]
    private(set) var present: Set<String> = []
    /// Rows that repeat another row.
    private(set) var repeated: [String] = []

    /// Reads the file that lkpush makes if no database is configured.
    init(_ path: String) throws { try self.init(ApplicationDatabase(file: path)) }

    init(_ database: ApplicationDatabase) throws {
        let activity = try database.rows(
            """
            SELECT o.workos_org_id, a.user_id, a.activity_date, a.session_count, a.total_duration_seconds
            FROM participant_activity_metrics a JOIN organizations o ON o.id = a.organization_id
            """)
        for row in activity {
            let session = Session(
                organization: try #require(row[0]), user: try #require(row[1].flatMap { Int64($0) }),
                day: try #require(row[2]))
            if sessions[session] != nil { repeated.append("\(session)") }
            sessions[session] = (
                try #require(row[3].flatMap { Int64($0) }), try #require(row[4].flatMap { Double($0) })
            )
        }
        let recorded = try database.rows(
            """
            SELECT r.egress_id, o.workos_org_id, r.request_type, r.status, r.duration_seconds, r.size_bytes
            FROM recordings r JOIN organizations o ON o.id = r.organization_id
            """)
        for row in recorded {
            let id = try #require(row[0])
            if recordings[id] != nil { repeated.append(id) }
            recordings[id] = Recording(
                organization: try #require(row[1]), requestType: try #require(row[2]), status: try #require(row[3]),
                seconds: row[4].flatMap { Double($0) }, size: try #require(row[5].flatMap { Int64($0) }))
        }
        for row in try database.rows("SELECT participant_sid FROM room_presence") {
            let sid = try #require(row[0])
            if !present.insert(sid).inserted { repeated.append(sid) }
        }
        #expect(repeated.isEmpty)
    }

    /// One line for each difference from the sum of the webhooks.
    func differences(from expected: Reduction) throws -> [String] {
        var lines = repeated.map { "\($0) is there twice" }
        if present != expected.present {
            lines.append("present: \(expected.present.sorted()) expected, \(present.sorted()) found")
        }
        var wanted: [Session: (count: Int64, seconds: Double)] = [:]
        for (session, activity) in expected.sessions {
            let row = try Session(session)
            wanted[row, default: (0, 0)].count += Int64(activity.count)
            wanted[row, default: (0, 0)].seconds += activity.seconds
        }
        for row in Set(wanted.keys).union(sessions.keys) {
            let (want, found) = (wanted[row] ?? (0, 0), sessions[row] ?? (0, 0))
            if want.count != found.count || abs(want.seconds - found.seconds) >= 0.001 {
                lines.append("\(row): \(want) expected, \(found) found")
            }
        }
        for id in Set(expected.recordings.keys).union(recordings.keys) {
            let want = expected.recordings[id].map { recording in
                Recording(
                    organization: recording.organization, requestType: recording.requestType,
                    status: recording.isCompleted ? "completed" : "failed", seconds: recording.seconds,
                    size: recording.size)
            }
            let found = recordings[id]
            let isEqual =
                want?.organization == found?.organization && want?.requestType == found?.requestType
                && want?.status == found?.status && want?.size == found?.size
                && abs((want?.seconds ?? 0) - (found?.seconds ?? 0)) < 0.001
            if !isEqual {
                lines.append("\(id): \(String(describing: want)) expected, \(String(describing: found)) found")
            }
        }
        return lines.sorted()
    }

    private static let known = Mutex<[String: Int64]>([:])

    /// The number that stands for an identity: itself, or the head of its SHA-256 with the sign bit set. `sha256sum`
    /// computes it, so that it does not come from the product.
    static func user(_ identity: String) throws -> Int64 {
        if let number = Int64(identity), number >= 0, String(number) == identity { return number }
        if let number = known.withLock({ $0[identity] }) { return number }
        let folder = TemporaryFolder()
        let file = folder.file("identity")
        try FileStore.replace(file, with: Array(identity.utf8))
        let (status, output) = ChildProcess.run("/usr/bin/sha256sum", [file])
        try #require(status == 0)
        let head = try #require(UInt64(output.prefix(16), radix: 16))
        let number = Int64(bitPattern: head | 1 << 63)
        known.withLock { $0[identity] = number }
        return number
    }
}
