import Platform
import Storage
import StoragePostgres
import TestSupport
import Testing
import Wire

/// Rows and rooms that an application's database does not want: each is alone in it.
@Suite struct PostgresAwkwardTests {
    static let good = RowOwner.organization(id: "org_a", name: "A")

    private func open(_ sql: String = "") throws -> (store: ApplicationStore, database: any Database) {
        let database = try ScratchDatabase(.postgres).connect()
        if !sql.isEmpty { try database.runScript(sql) }
        let store = ApplicationStore(database)
        _ = try store.migrate(at: noon)
        return (store, database)
    }

    /// Writes the bad row between two good ones, and once more.
    private func expectAlone(_ bad: StoreRow, code: String, _ store: ApplicationStore, _ database: any Database) throws
    {
        let rows = [Row.present(Self.good, "1"), bad, Row.present(Self.good, "2"), Row.session(Self.good, 5)]
        let origin = RowOrigin(journal: "\(code) \(bad.hashValue)", firstSequence: 1)
        let outcome = try store.write(rows, from: origin, at: noon)
        #expect(outcome.written == 3 && outcome.refused == 1, "\(outcome)")
        #expect(outcome.refusals.first?.error.code == code, "\(outcome)")
        #expect(outcome.refusals.first?.error.description.contains("secret") == false, "\(outcome)")
        #expect(try store.presence() == .presence(["org_a": 2]))
        #expect(try store.write(rows, from: origin, at: noon).repeated == 4, "set aside for good")
    }

    static let zeros: [StoreRow] = [
        Row.present(good, "PA\0secret"), Row.present(good, "PA", identity: "se\0cret"),
        Row.present(good, "PA", room: "\0"), Row.recording(good, "EG", location: "s3://\0"),
        Row.recording(good, "EG", error: "\0secret"), Row.session(.organization(id: "secret\0", name: "")),
        Row.session(.organization(id: "b", name: "secret\0")), .absent(participantSID: "secret\0"),
    ]

    @Test(arguments: zeros)
    func `a text with a zero is refused, and only that row`(_ bad: StoreRow) throws {
        let (store, database) = try open()
        try expectAlone(bad, code: "22021", store, database)
    }

    @Test func `a foreign key of users that refuses sets the row aside`() throws {
        for timing in ["", "DEFERRABLE INITIALLY DEFERRED"] {
            let (store, database) = try open(
                """
                CREATE TABLE users (id bigint PRIMARY KEY);
                INSERT INTO users VALUES (1);
                CREATE TABLE participant_activity_metrics (id bigserial PRIMARY KEY,
                    user_id bigint NOT NULL REFERENCES users (id) \(timing), organization_id bigint NOT NULL,
                    activity_date date NOT NULL, total_duration_seconds double precision NOT NULL DEFAULT 0,
                    session_count integer NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now());
                """)
            try expectAlone(Row.session(Self.good, user: 404_404, 3), code: "23503", store, database)
            #expect(
                try database.rows("SELECT user_id, total_duration_seconds FROM participant_activity_metrics", []).rows
                    == [[.integer(1), .double(5)]])
        }
    }

    @Test func `a trigger that raises sets the row aside, and its words are not repeated`() throws {
        let (store, database) = try open()
        try database.runScript(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.identity LIKE '%secret%' THEN RAISE EXCEPTION 'not %', NEW.identity; END IF; RETURN NEW;
            END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON room_presence FOR EACH ROW EXECUTE FUNCTION refuse()
            """)
        let bad = Row.present(Self.good, "PA", identity: "a secret name")
        try expectAlone(bad, code: "P0001", store, database)
        // The same with a code of its own; and one that says that it is not the row's fault.
        for (code, isRefused) in [("23514", true), ("U0042", true), ("55P03", false)] {
            try database.runScript(
                """
                CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.identity LIKE '%secret%' THEN
                        RAISE EXCEPTION 'not %', NEW.identity USING ERRCODE = '\(code)'; END IF;
                    RETURN NEW;
                END $$
                """)
            if isRefused {
                try expectAlone(bad, code: code, store, database)
            } else {
                let error = #expect(throws: StoreError.self) { try store.write([bad], at: noon) }
                #expect(error?.kind == .other && error?.description.contains("secret") == false)
            }
        }
    }

    @Test func `a value that is too long, too large or against a rule becomes a dead letter`() throws {
        let (store, database) = try open(
            """
            CREATE TABLE recordings (egress_id varchar(20), room_id uuid, organization_id bigint, request_type text,
                status text, started_at timestamptz, ended_at timestamp, duration_seconds integer, size_bytes integer,
                location text CHECK (location <> 'secret'), error text NOT NULL, expires_at date)
            """)
        let room = PostgresMigrationTests.room
        let bad = [
            (Row.recording(Self.good, "EG_secret_secret_secret_secret", room: room), "22001"),
            (Row.recording(Self.good, "EG", room: "secret room"), "22P02"),
            (Row.recording(Self.good, "EG", 1e12, room: room), "22003"),
            (Row.recording(Self.good, "EG", room: room, size: .max), "22003"),
            (Row.recording(Self.good, "EG", room: room, location: "secret"), "23514"),
        ]
        for (row, code) in bad { try expectAlone(row, code: code, store, database) }
        #expect(try store.write([Row.recording(Self.good, "EG", 1.6, room: room)], at: noon).written == 1)
        // A column of another numeric type takes the nearest value.
        #expect(
            try database.first("SELECT duration_seconds, ended_at::text, expires_at::text FROM recordings")
                == [.integer(2), .text("2026-09-28 12:00:00"), .text("2026-09-28")])
    }

    @Test func `a text that an index cannot hold becomes a dead letter`() throws {
        let (store, database) = try open()
        // Nothing that compresses.
        let long = (0..<40_000).map { String(($0 &* 2_654_435_761) % 1_000_003, radix: 36) }.joined()
        try expectAlone(Row.present(Self.good, long), code: "54000", store, database)
    }

    @Test func `rooms that are no UUID are unknown, and spoil neither a lookup nor a batch of rows`() throws {
        let (store, database) = try open("CREATE TABLE rooms (id uuid PRIMARY KEY, organization_id bigint)")
        let room = PostgresMigrationTests.room
        try database.runScript(
            """
            INSERT INTO organizations (workos_org_id, name) VALUES ('org_a', 'A'), (NULL, 'no id'), ('', 'empty');
            INSERT INTO rooms SELECT '\(room)', id FROM organizations WHERE workos_org_id = 'org_a';
            INSERT INTO rooms VALUES ('0f0e0d0c-0b0a-4908-8706-000000000001', NULL),
                ('0f0e0d0c-0b0a-4908-8706-000000000002', 99);
            INSERT INTO rooms SELECT '0f0e0d0c-0b0a-4908-8706-000000000003', id FROM organizations WHERE name = 'no id';
            INSERT INTO rooms SELECT '0f0e0d0c-0b0a-4908-8706-000000000004', id FROM organizations WHERE name = 'empty';
            """)
        let asked = [
            "kitchen", room, "", room.uppercased(), "{\(room)}", "0f0e0d0c-0b0a-4908-8706-05040302010",
            "a\0b", "0f0e0d0c-0b0a-4908-8706-000000000001", "0f0e0d0c-0b0a-4908-8706-000000000002",
            "0f0e0d0c-0b0a-4908-8706-000000000003", "0f0e0d0c-0b0a-4908-8706-000000000004", room + " ",
            "0f0e0d0c-0b0a-4908-8706-00000000ffff", "\"; DROP TABLE rooms", room,
        ]
        let answers = try store.organizations(ofRooms: asked)
        func reason(_ answer: Result<Organization, LookupError>) -> String {
            switch answer {
            case .success(let organization): organization.id
            case .failure(let failure): failure.rawValue
            }
        }
        let unknown = "room_not_found"
        #expect(
            answers.map(reason) == [
                unknown, "org_a", unknown, "org_a", "org_a", unknown, unknown, "no_organization", "no_organization",
                "no_org_id", "no_org_id", unknown, unknown, unknown, "org_a",
            ])
        for (room, answer) in zip(asked, answers) { #expect(try store.organization(ofRoom: room) == answer) }
        let rows = asked.enumerated().map { Row.present(.room(name: $1), "\($0)", room: room) }
        let outcome = try store.write(rows, at: noon)
        #expect(outcome.written == 4 && outcome.refused == 0)
        #expect(outcome.dropped == [.room_not_found: 7, .no_organization: 2, .no_org_id: 2])
    }

    @Test(arguments: ["character(5)", "character varying(5)", "text", "name", "\"char\"[]"])
    func `a batch of rooms is compared as a single one is`(_ type: String) throws {
        let (store, database) = try open("CREATE TABLE rooms (id \(type) PRIMARY KEY, organization_id bigint)")
        try database.runScript(
            """
            INSERT INTO organizations (workos_org_id, name) VALUES ('org_a', 'A');
            INSERT INTO rooms SELECT room::\(type), organizations.id
            FROM organizations, unnest('{"{a}","{b,c}"}'::text[]) AS room
            """)
        let asked = ["{a}", "{b,c}", "{", "", "{a}      ", "{d}", "a much longer name"]
        let answers = try store.organizations(ofRooms: asked)
        for (room, answer) in zip(asked, answers) { #expect(try store.organization(ofRoom: room) == answer, "\(room)") }
        #expect(try answers[0].get().id == "org_a" && answers[1].get().id == "org_a")
        #expect(answers[5] == .failure(.room_not_found))
    }

    @Test func `rooms with numbers are found by halves where one is none`() throws {
        let (store, _) = try open(
            """
            CREATE TABLE rooms (id bigint PRIMARY KEY, organization_id bigint);
            CREATE TABLE organizations (id bigint, workos_org_id text, name text);
            INSERT INTO organizations VALUES (1, 'org_a', 'A');
            INSERT INTO rooms SELECT n, 1 FROM generate_series(1, 100) n
            """)
        let asked = (1...120).map { $0 % 17 == 0 ? "room \($0)" : String($0) }
        let answers = try store.organizations(ofRooms: asked)
        for (number, answer) in zip(1..., answers) {
            let isKnown = number <= 100 && number % 17 != 0
            #expect((try? answer.get().id) == (isKnown ? "org_a" : nil), "\(number)")
        }
    }

    static let queries = [
        "SELECT workos_org_id AS org_id, name AS org_name, id AS organization_pk, 5 AS monthly_recording_minutes"
            + " FROM organizations WHERE name = :room;  -- :room",
        "WITH found AS (SELECT * FROM organizations WHERE name = :room) SELECT workos_org_id AS org_id,"
            + " name AS org_name, id AS organization_pk FROM found ORDER BY id LIMIT 1",
        "SELECT 'o' || substr(:room, 2) AS org_id, :room::text AS org_name, 1::bigint AS organization_pk"
            + " WHERE :room LIKE 'r%'",
        "SELECT workos_org_id AS org_id, name AS org_name, id AS organization_pk FROM organizations"
            + " WHERE name = (SELECT :room)",
    ]

    @Test(arguments: queries)
    func `a query of the user answers many rooms as it answers one`(_ sql: String) throws {
        let database = try ScratchDatabase(.postgres).connect()
        let store = ApplicationStore(database, lookup: try LookupQuery(sql: sql))
        _ = try store.migrate(at: noon)
        try database.runScript(
            "INSERT INTO organizations (workos_org_id, name) SELECT 'o' || n, 'r' || n FROM generate_series(1, 50) n")
        let asked = ["r1", "unknown", "r50", "", "r7", "r1", "a'b\"c\\d{},"]
        let answers = try store.organizations(ofRooms: asked)
        #expect(answers.map { try? $0.get().id } == ["o1", nil, "o50", nil, "o7", "o1", nil])
        for (room, answer) in zip(asked, answers) { #expect(try store.organization(ofRoom: room) == answer) }
    }

    @Test func `a query that works alone only is asked for one room after the other`() throws {
        let database = try ScratchDatabase(.postgres).connect()
        let sql = """
            WITH seen AS (INSERT INTO visits VALUES (:room) RETURNING room)
            SELECT 'org' AS org_id, room AS org_name, 1 AS organization_pk FROM seen
            """
        let store = ApplicationStore(database, lookup: try LookupQuery(sql: sql))
        _ = try store.migrate(at: noon)
        try database.runScript("CREATE TABLE visits (room text)")
        #expect(try store.organizations(ofRooms: ["a", "b", "c"]).map { try $0.get().name } == ["a", "b", "c"])
        #expect(try store.organizations(ofRooms: ["d", "e"]).count == 2)
        #expect(try database.first("SELECT COUNT(*) FROM visits") == [.integer(5)])
    }

    @Test func `many rooms are one statement`() throws {
        let database = try ScratchDatabase(.postgres).connect()
        let store = ApplicationStore(database)
        _ = try store.migrate(at: noon)
        let rooms = (0..<256).map { "room \($0)" }
        #expect(try store.organizations(ofRooms: rooms) == Array(repeating: .failure(.room_not_found), count: 256))
        let statements = try database.first(
            """
            SELECT COUNT(*), SUM(generic_plans + custom_plans) FROM pg_prepared_statements
            WHERE statement LIKE '%unnest%room%' AND statement NOT LIKE '%pg_prepared%'
            """)
        #expect(statements == [.integer(1), .integer(1)])
    }
}
