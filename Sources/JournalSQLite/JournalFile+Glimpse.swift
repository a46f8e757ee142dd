import Platform
import SQLite

extension JournalFile {
    /// Returns the keys of the series that are pushed to any destination, as the file of the journal in this folder has
    /// them: without the last commits, which are in its log. Nil if there is no journal that this program knows.
    ///
    /// It takes no lock and changes nothing, so it may be called while another process uses the folder.
    package static func glimpseOfShipped(in directory: String) -> [[UInt8]]? {
        let path = "\(directory)/\(name)"
        guard Folder.exists(path) else { return nil }
        var settings = ConnectionSettings()
        settings.isReadOnly = true
        settings.isImmutable = true
        var keys: [[UInt8]] = []
        do throws(SQLiteError) {
            let connection = try Connection(path: path, settings)
            defer { connection.close() }
            guard try connection.number("PRAGMA application_id") == Int64(JournalSchema.applicationID),
                try connection.number("PRAGMA user_version") == Int64(JournalSchema.format)
            else { return nil }
            try connection.rows("SELECT crc, key FROM shipped") { row in
                let key = row.bytes(at: 1)
                if RowChecksum.of(.shipped, key.span) == row.int64(at: 0) { keys.append(key) }
            }
        } catch {
            // The file is damaged, or it changed while it was read.
            return nil
        }
        return keys
    }
}
