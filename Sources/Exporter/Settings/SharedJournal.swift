package import Platform
import Postgres
import Storage

/// The journal that several processes share.
package struct SharedJournal: Sendable {
    /// The bounds, each with its reason.
    package enum Limits {
        /// The name is a label and a key of the log's tables.
        package static let name_characters = 63
    }

    /// `JOURNAL_URL`. It may change: it is read again for each connection.
    package let url: SecretSource
    /// `JOURNAL_NAME`.
    package let name: String
    /// `LEASE_TTL`.
    package let leaseTTL: Duration

    /// Reads these settings. Nil if the journal is this process's own.
    init?(_ reader: inout SettingsReader) {
        let url = reader.secretText(
            "JOURNAL_URL",
            "`postgres://…` of the journal that replicas share; default: a journal of this process in STATE_DIR.")
        let standard = "lkpush"
        name = reader.value(
            "JOURNAL_NAME", standard, "The name of the shared journal, and label `instance` of what it counts.",
            fallback: standard, expected: "at most \(Limits.name_characters) letters, digits, `-`, `_` and `.`"
        ) { text in
            let isName = text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "-_.".utf8.contains(byte)
            }
            return isName && !text.isEmpty && text.count <= Limits.name_characters ? text : nil
        }
        leaseTTL = reader.duration(
            "LEASE_TTL", "4s", in: .seconds(1) ... .seconds(60),
            "How long a replica that leads may be silent until another one takes over.")
        guard let url else { return nil }
        self.url = url
        // A file that cannot be read was reported when the setting was read.
        guard let text = try? url.read().exposed else { return }
        do throws(DatabaseURLFault) {
            try PostgresURL(text).check()
        } catch {
            reader.report("JOURNAL_URL: \(error)")
        }
    }
}
