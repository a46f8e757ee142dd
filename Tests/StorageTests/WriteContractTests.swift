import Storage
import Testing
import Wire

/// How every adapter takes rows.
@Suite struct WriteContractTests {
    let owner = RowOwner.organization(id: "org_a", name: "A")

    @Test(arguments: Adapter.allCases)
    func `sessions of a user and day add up`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let rows = [
            Row.session(owner, user: 1, 1.5), Row.session(owner, user: 1, 2), Row.session(owner, user: 2, 4),
            Row.session(owner, user: 1, day: today.before(days: 1), 8),
            Row.session(.organization(id: "org_b", name: "B"), user: 1, 16),
        ]
        #expect(try store.write(rows, at: noon).written == 5)
        #expect(try store.write([Row.session(owner, user: 1, 32)], at: noon).written == 1)
        let found = try database.rows(
            """
            SELECT workos_org_id, user_id, total_duration_seconds, session_count
            FROM participant_activity_metrics JOIN organizations ON id = organization_id
            ORDER BY workos_org_id, user_id, activity_date
            """, [])
        #expect(
            found.rows == [
                [.text("org_a"), .integer(1), .double(8), .integer(1)],
                [.text("org_a"), .integer(1), .double(35.5), .integer(3)],
                [.text("org_a"), .integer(2), .double(4), .integer(1)],
                [.text("org_b"), .integer(1), .double(16), .integer(1)],
            ])
    }

    @Test(arguments: Adapter.allCases)
    func `a recording replaces the one of the same job`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        _ = try store.write(
            [
                Row.recording(owner, "EG_1", status: "failed", nil, error: "it's broken"),
                Row.recording(owner, "EG_2"),
                Row.recording(owner, "EG_1", status: "completed", 12.5, startedAt: noon, size: .max),
            ], at: noon)
        let found = try database.rows(
            "SELECT egress_id, status, duration_seconds, size_bytes, error FROM recordings ORDER BY egress_id", [])
        #expect(
            found.rows == [
                [.text("EG_1"), .text("completed"), .double(12.5), .integer(.max), .text("")],
                [.text("EG_2"), .text("completed"), .double(100), .integer(1), .text("")],
            ])
    }

    @Test(arguments: Adapter.allCases)
    func `presence comes and goes`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        _ = try store.write(
            [Row.present(owner, "PA_1"), Row.present(owner, "PA_2"), Row.present(owner, "PA_1")], at: noon)
        #expect(try store.presence() == .presence(["org_a": 2]))
        let gone = [StoreRow.absent(participantSID: "PA_1"), .absent(participantSID: "PA_unknown")]
        #expect(try store.write(gone, at: noon).written == 2)
        #expect(try store.presence() == .presence(["org_a": 1]))
    }

    @Test(arguments: Adapter.allCases)
    func `awkward data is kept as it is`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let odd = RowOwner.organization(id: "o'; DROP TABLE rooms; --", name: "")
        let outcome = try store.write(
            [
                Row.session(odd, user: .max, 0), Row.session(odd, user: .min, 0), Row.session(odd, user: -1, 1e15),
                Row.present(odd, "", user: 0, identity: "Zoë \"🦊\" \\ %_"),
                Row.recording(odd, "", room: "", location: "", error: ""),
            ], at: noon)
        #expect(outcome.written == 5)
        let users = try database.rows("SELECT user_id FROM participant_activity_metrics ORDER BY user_id", [])
        #expect(users.rows == [[.integer(.min)], [.integer(-1)], [.integer(.max)]])
        #expect(try database.first("SELECT identity FROM room_presence") == [.text("Zoë \"🦊\" \\ %_")])
        #expect(try database.first("SELECT room_id, started_at FROM recordings") == [.null, .null])
        #expect(try store.presence() == .presence(["o'; DROP TABLE rooms; --": 1]))
    }

    @Test(arguments: Adapter.allCases)
    func `an organization is inserted on first sight and its name kept current`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let known = try database.add(organization: "known", name: "Known", minutes: 5)
        _ = try store.write(
            [
                Row.session(.organization(id: "new", name: "One")), Row.session(.organization(id: "new", name: "Two")),
                Row.session(.organization(id: "known", name: "Renamed")),
                Row.session(.organization(id: "known", name: "")),
                Row.session(.organization(id: "nameless", name: "")),
            ], at: noon)
        guard case .licenses(let organizations) = try store.licenses() else { throw StoreError.wrongReport }
        #expect(organizations.map(\.id) == ["known", "nameless", "new"])
        #expect(organizations.map(\.name) == ["Renamed", "nameless", "Two"])
        #expect(organizations.first?.key == known)
        #expect(organizations.map(\.recordingLimit_minutes) == [5, 0, 0])
    }

    @Test(arguments: Adapter.allCases)
    func `a row that knows only its room finds the organization or is dropped`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        try database.add(room: "room", of: try database.add(organization: "org_a"))
        try database.add(room: "orphan", of: nil)
        try database.add(room: "nameless", of: try database.add(organization: nil))
        let outcome = try store.write(
            [
                Row.session(.room(name: "unknown")), Row.session(.room(name: "room")),
                Row.session(.room(name: "orphan")), Row.session(.room(name: "nameless")),
                Row.present(.room(name: "unknown"), "PA_1"), Row.present(.room(name: "room"), "PA_2"),
            ], at: noon)
        #expect(outcome.written == 2)
        #expect(outcome.dropped == [.room_not_found: 2, .no_organization: 1, .no_org_id: 1])
        #expect(outcome.count == 6)
        #expect(try store.presence() == .presence(["org_a": 1]))
    }

    @Test(arguments: Adapter.allCases)
    func `rooms whose names look the same and are other bytes belong to whom they belong`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        try database.add(room: "caf\u{E9}", of: try database.add(organization: "org_a"))
        try database.add(room: "cafe\u{301}", of: try database.add(organization: "org_b"))
        _ = try store.write(
            [Row.present(.room(name: "caf\u{E9}"), "PA_1"), Row.present(.room(name: "cafe\u{301}"), "PA_2")], at: noon)
        #expect(try store.presence() == .presence(["org_a": 1, "org_b": 1]))
    }

    /// As a name that is no UUID where `rooms.id` is one.
    @Test func `a room whose name the database refuses is unknown, and blocks nothing`() throws {
        let query = try LookupQuery(
            sql: """
                SELECT 'org_a' AS org_id, 'A' AS org_name, 1 AS organization_pk,
                    CASE WHEN :room = 'bad' THEN length(zeroblob(1000000001)) END AS refusal
                """)
        let (store, database) = try ScratchDatabase(.sqlite).open(lookup: query)
        try database.add(organization: "org_a")
        #expect(try store.organization(ofRoom: "bad") == .failure(.room_not_found))
        let outcome = try store.write(
            [
                Row.present(.room(name: "good"), "1"), Row.present(.room(name: "bad"), "2"),
                Row.present(.room(name: "good"), "3"),
            ], at: noon)
        #expect(outcome.written == 2)
        #expect(outcome.dropped == [.room_not_found: 1])
        #expect(try store.presence() == .presence(["org_a": 2]))
    }

    static let badRows: [StoreRow] = [
        Row.session(.organization(id: "bad", name: ""), .nan),
        Row.session(.organization(id: "bad", name: ""), .infinity),
        Row.session(.organization(id: "bad", name: ""), day: CivilDate(daysSinceEpoch: 2_932_897)),
        Row.recording(
            .organization(id: "bad", name: ""), "EG_bad", endedAt: Timestamp(milliseconds: 253_402_300_800_000)),
        Row.recording(
            .organization(id: "bad", name: ""), "EG_bad", startedAt: Timestamp(milliseconds: -62_135_596_800_001)),
    ]

    @Test(arguments: Adapter.allCases, badRows)
    func `a row that cannot be compared becomes a dead letter`(_ adapter: Adapter, _ bad: StoreRow) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        let outcome = try store.write([Row.present(owner, "1"), bad, Row.present(owner, "2")], at: noon)
        #expect(outcome.written == 2)
        #expect(outcome.refusals.map(\.index) == [1])
        #expect(outcome.refusals.first?.error.kind == .refused)
        #expect(try store.presence() == .presence(["org_a": 2]))
        #expect(try store.recent(at: noon) == .recent([]))
    }

    @Test(arguments: Adapter.allCases)
    func `a row that the database refuses blocks nothing`(_ adapter: Adapter) throws {
        let scratch = try ScratchDatabase(adapter)
        let database = try scratch.connect()
        try database.runScript(
            """
            CREATE TABLE room_presence (participant_sid text PRIMARY KEY, room_sid text, room_id text,
                organization_id bigint, user_id bigint CHECK (user_id > 0), identity text, joined_at text)
            """)
        let store = ApplicationStore(database)
        _ = try store.migrate(at: noon)
        let fresh = RowOwner.organization(id: "fresh", name: "F")
        let rows = [
            Row.session(owner, 1), Row.present(fresh, "PA_bad", user: -1, identity: "secret"),
            Row.present(owner, "PA_1"), Row.present(fresh, "PA_2"), Row.session(owner, 2),
            Row.present(.organization(id: "only refused", name: "R"), "PA_bad", user: 0),
        ]
        let origin = RowOrigin(journal: "j", firstSequence: 1)
        let outcome = try store.write(rows, from: origin, at: noon)
        #expect(outcome.written == 4)
        #expect(outcome.refused == 2)
        #expect(outcome.refusals.map(\.index) == [1, 5])
        #expect(outcome.refusals.first?.error.description.contains("secret") == false)
        let organizations = try database.rows("SELECT workos_org_id FROM organizations ORDER BY 1", []).rows
        #expect(organizations == [[.text("fresh")], [.text("org_a")]], "a refused row leaves nothing behind")
        #expect(try store.presence() == .presence(["org_a": 1, "fresh": 1]))
        #expect(
            try database.first("SELECT total_duration_seconds, session_count FROM participant_activity_metrics")
                == [.double(3), .integer(2)])
        #expect(try store.write(rows, from: origin, at: noon).repeated == 6, "set aside for good")
    }

    @Test(arguments: Adapter.allCases)
    func `rows that are handed over again are applied once`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let rows = (1...3).map { Row.session(owner, Double($0)) }
        func write(_ rows: [StoreRow], _ journal: String, _ first: Int64) throws -> WriteOutcome {
            try store.write(rows, from: RowOrigin(journal: journal, firstSequence: first), at: noon)
        }
        #expect(try write(rows, "j", 1).written == 3)
        let again = try write(rows, "j", 1)
        #expect(again.repeated == 3 && again.written == 0)
        let overlapping = try write(rows, "j", 3)
        #expect(overlapping.repeated == 1 && overlapping.written == 2)
        #expect(try write(rows, "other journal", 1).written == 3)
        #expect(
            try database.first("SELECT session_count, total_duration_seconds FROM participant_activity_metrics")
                == [.integer(8), .double(17)])
        #expect(try store.forgetOrigins(before: noon) == 0)
        #expect(try store.forgetOrigins(before: noon + .milliseconds(1)) == 2)
    }

    @Test(arguments: Adapter.allCases)
    func `no rows are no work`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        #expect(try store.write([], from: RowOrigin(journal: "j", firstSequence: 1), at: noon) == WriteOutcome())
    }
}

extension StoreError {
    static let wrongReport = StoreError(.other, operation: "test", text: "another report was expected")
}
