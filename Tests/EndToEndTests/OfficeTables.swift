import Platform
import SQLite
import TestSupport
import Testing

/// What lkpush wrote into its database, read with SQL of the tests' own.
struct OfficeTables {
    struct Session: Hashable {
        let organization: String
        let user: Int64
        let day: String
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

    init(_ path: String) throws {
        var settings = ConnectionSettings()
        settings.isReadOnly = true
        settings.busyTimeout = .seconds(10)
        let database = try Connection(path: path, settings)
        let activity = try database.prepare(
            """
            SELECT o.workos_org_id, a.user_id, a.activity_date, a.session_count, a.total_duration_seconds
            FROM participant_activity_metrics a JOIN organizations o ON o.id = a.organization_id
            """)
        while try activity.step() {
            let session = Session(
                organization: activity.text(at: 0), user: activity.int64(at: 1), day: activity.text(at: 2))
            #expect(sessions[session] == nil, "a row for each user, organization and day")
            sessions[session] = (activity.int64(at: 3), activity.double(at: 4))
        }
        let recorded = try database.prepare(
            """
            SELECT r.egress_id, o.workos_org_id, r.request_type, r.status, r.duration_seconds, r.size_bytes
            FROM recordings r JOIN organizations o ON o.id = r.organization_id
            """)
        while try recorded.step() {
            recordings[recorded.text(at: 0)] = Recording(
                organization: recorded.text(at: 1), requestType: recorded.text(at: 2), status: recorded.text(at: 3),
                seconds: recorded.isNull(at: 4) ? nil : recorded.double(at: 4), size: recorded.int64(at: 5))
        }
        let presence = try database.prepare("SELECT participant_sid FROM room_presence")
        while try presence.step() { present.insert(presence.text(at: 0)) }
    }

    /// The number that stands for an identity: itself, or the head of its SHA-256 with the sign set. Asked of
    /// `sha256sum`, so that it is not the product's own.
    static func user(_ identity: String, _ folder: TemporaryFolder) throws -> Int64 {
        if let number = Int64(identity), number >= 0, String(number) == identity { return number }
        let file = folder.file("identity")
        try FileStore.replace(file, with: Array(identity.utf8))
        let (status, output) = ChildProcess.run("/usr/bin/sha256sum", [file])
        try #require(status == 0)
        let head = try #require(UInt64(output.prefix(16), radix: 16))
        return Int64(bitPattern: head | 1 << 63)
    }
}
