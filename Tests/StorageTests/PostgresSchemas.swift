import Platform
import Postgres
import Storage
import StoragePostgres
import TestSupport
import Wire

/// One database of the shared server, with a schema for each test.
enum PostgresSchemas {
    private struct State {
        var database: String?
        var schemas = 0
    }

    private static let state = Monitor(State())

    /// No time-out ends anything before the wait of a test for it does.
    static var patient: PostgresSettings {
        var settings = PostgresSettings()
        settings.connectTimeout = Waits.limit
        settings.statementTimeout = Waits.limit * 3
        settings.lockTimeout = Waits.limit * 2
        settings.pingTimeout = Waits.limit
        return settings
    }

    /// The URL of a fresh schema.
    static func newSchema() throws -> PostgresURL {
        let server = try PostgresServer.shared()
        let (name, number) = try state.change { state in
            let name = try state.database ?? server.newDatabase()
            state.database = name
            state.schemas += 1
            return (name, state.schemas)
        }
        let url = server.url(database: name)
        let database = try connect(url)
        defer { database.close() }
        try database.runScript("CREATE SCHEMA office_\(number)")
        return try postgresURL(url + "?options=-csearch_path%3Doffice_\(number)")
    }

    static func postgresURL(_ text: String) throws -> PostgresURL { try PostgresURL(text) }

    static func connect(_ url: String, _ settings: PostgresSettings = patient) throws -> PostgresDatabase {
        try PostgresDatabase(postgresURL(url), settings)
    }
}
