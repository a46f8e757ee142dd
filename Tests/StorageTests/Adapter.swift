import Glibc
import Postgres
import Storage
import StoragePostgres
import StorageSQLite
import TestSupport
import Testing
import Wire

/// The databases that the contract is tested with: a new adapter is one more case.
enum Adapter: CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite, postgres

    var testDescription: String { "\(self)" }
}

/// An empty database of its own for one test; in PostgreSQL a schema of its own, which is much faster to make.
struct ScratchDatabase {
    private enum Place {
        case file(TemporaryFolder)
        case schema(PostgresURL)
    }

    private let place: Place

    init(_ adapter: Adapter) throws {
        switch adapter {
        case .sqlite: place = .file(TemporaryFolder())
        case .postgres: place = .schema(try PostgresSchemas.newSchema())
        }
    }

    /// A new connection; the database lives as long as one does.
    func connect() throws(StoreError) -> any Database {
        switch place {
        case .file(let folder):
            FailingDatabase(
                try SQLiteDatabase(path: folder.file("office.db"), busyTimeout: .seconds(20)),
                FailurePlan(failsAt: .max, .lostBefore), keeping: folder)
        case .schema(let url):
            try PostgresDatabase(url, PostgresSchemas.patient)
        }
    }

    /// Takes the database away from under one connection, as an administrator does.
    func cut(_ database: any Database) throws {
        switch place {
        case .file(let folder): #expect(rename(folder.file("office.db"), folder.file("office.away")) == 0)
        case .schema:
            let pid = try #require(try database.first("SELECT pg_backend_pid()").first?.asInteger)
            try PostgresServer.shared().query("SELECT pg_terminate_backend(\(pid))")
        }
    }

    /// A store with its schema in place, and its connection.
    func open(lookup: LookupQuery = .standard) throws(StoreError) -> (store: ApplicationStore, database: any Database) {
        let database = try connect()
        let store = ApplicationStore(database, lookup: lookup)
        _ = try store.migrate(at: noon)
        return (store, database)
    }
}

/// 2026-09-28T12:00:00Z
let noon = Timestamp(seconds: 20_724 * 86_400 + 43_200)
let today = CivilDate(noon)

extension Database {
    /// Adds an organization and its licence; returns its key.
    @discardableResult
    func add(organization id: String?, name: String? = "Name", minutes: Double?? = nil) throws -> OrganizationKey {
        let made = try rows(
            "INSERT INTO organizations (workos_org_id, name) VALUES ($1, $2) RETURNING id",
            [id.map { .text($0) } ?? .null, name.map { .text($0) } ?? .null])
        let key = try #require(made.rows.first?.first?.asInteger)
        if let minutes {
            _ = try run(
                "INSERT INTO org_licenses (organization_id, monthly_recording_minutes) VALUES ($1, $2)",
                [.integer(key), minutes.map { .double($0) } ?? .null])
        }
        return .integer(key)
    }

    func add(room: String, of organization: OrganizationKey?) throws {
        _ = try run(
            "INSERT INTO rooms (id, organization_id) VALUES ($1, $2)",
            [.text(room), organization.map { SQLValue($0) } ?? .null])
    }

    func first(_ sql: String, _ values: [SQLValue] = []) throws -> [SQLValue] {
        try #require(try rows(sql, values).rows.first)
    }
}

/// Rows as the recorder makes them.
enum Row {
    static func session(
        _ owner: RowOwner, user: Int64 = 1, day: CivilDate = today, _ duration_seconds: Double = 60
    ) -> StoreRow {
        .session(SessionRow(owner: owner, userID: user, day: day, duration_seconds: duration_seconds))
    }

    static func recording(
        _ owner: RowOwner, _ egressID: String, status: String = "completed", endedAt: Timestamp = noon,
        _ duration_seconds: Double? = 100, room: String = "room", startedAt: Timestamp? = nil, size: Int64 = 1,
        location: String = "s3://b/k", error: String = ""
    ) -> StoreRow {
        .recording(
            RecordingRow(
                owner: owner, egressID: egressID, roomName: room, requestType: "room_composite", status: status,
                startedAt: startedAt, endedAt: endedAt, duration_seconds: duration_seconds, size_bytes: size,
                location: location, error: error, expiresAt: endedAt))
    }

    static func present(
        _ owner: RowOwner, _ sid: String, user: Int64 = 1, identity: String = "1", room: String = "room"
    ) -> StoreRow {
        .present(
            PresenceRow(
                owner: owner, participantSID: sid, roomSID: "RM_1", roomName: room, userID: user,
                identity: identity, joinedAt: noon))
    }
}
