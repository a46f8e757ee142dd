import Platform
import Postgres
import Storage

/// A log and how it is reached.
struct LogPlace: Sendable {
    let url: PostgresURL
    /// The name of the log, which is in every key.
    let name: String
    let settings: LogSettings
    let interruption: Interruption

    /// Connects, without a look at the tables.
    func connect() throws(StoreError) -> PostgresConnection {
        let address: PostgresAddress
        do throws(DatabaseURLFault) {
            address = try PostgresAddress(url)
        } catch {
            throw StoreError(.connectionLost, operation: "connect", text: error.description)
        }
        var settings = PostgresSettings()
        settings.connectTimeout = self.settings.connect
        settings.statementTimeout = self.settings.statement
        settings.peerTimeout = self.settings.peer
        settings.grace = self.settings.grace
        settings.writes = true
        return try PostgresConnection(address, settings, interruption)
    }
}
