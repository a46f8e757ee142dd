package import Platform
import Storage

/// The place of the database: all that a command needs to know that only reads it.
package struct DatabasePlace: Sendable {
    package let stateDirectory: String
    /// Nil if the database is a file in `stateDirectory`.
    package let databaseURL: SecretSource?

    package init(stateDirectory: String, databaseURL: SecretSource?) {
        self.stateDirectory = stateDirectory
        self.databaseURL = databaseURL
    }

    /// Reads these settings alone. They can be used only if `reader.problems` is empty.
    package init(_ reader: inout SettingsReader) {
        self.init(stateDirectory: Self.stateDirectory(&reader), databaseURL: Self.databaseURL(&reader))
        check(&reader)
    }

    static func stateDirectory(_ reader: inout SettingsReader) -> String {
        reader.text("STATE_DIR", "./lkpush-state", "Where lkpush keeps what it must remember.")
    }

    static func databaseURL(_ reader: inout SettingsReader) -> SecretSource? {
        reader.secretText("DATABASE_URL", "\(StoreDriver.help); default `sqlite:$STATE_DIR/office.db`.")
    }

    /// The URL of the database.
    package func location() throws(SecretSource.SecretError) -> String {
        guard let databaseURL else { return "sqlite:\(stateDirectory)/office.db" }
        return try databaseURL.read().exposed
    }

    /// Reports a URL that no database can have.
    func check(_ reader: inout SettingsReader) {
        // A file that cannot be read was reported when the setting was read.
        guard let location = try? location() else { return }
        do throws(DatabaseURLFault) {
            _ = try StoreDriver.location(of: location)
        } catch {
            reader.report("DATABASE_URL: \(error)")
        }
    }
}
