import Glibc
import Journal
import Platform
import Storage
import Wire

/// `lkpush check`: shows the configuration in effect, and reaches the state, the database and the receiver once.
enum Check {
    /// True when everything answered.
    static func run(_ settings: Settings, _ reader: SettingsReader, log: Log) -> Bool {
        let rows = reader.rows
        let width = rows.map(\.name.count).max() ?? 0
        for row in rows where !row.effective.isEmpty {
            let blank = String(repeating: " ", count: width - row.name.count)
            print("\(row.name)\(blank)  \(row.effective)")
        }
        print("")
        for warning in reader.warnings { print("warning: \(warning)") }
        var isGood = report("state", state(settings))
        isGood = report("database", database(settings)) && isGood
        do {
            if let shipper = try Plan.shipper(settings, log: log) {
                let result = ShipperProbe.run(shipper)
                isGood = report("receiver", (result.isAccepted, "\(shipper.url): \(result)")) && isGood
            } else {
                print("receiver: none configured; metrics are only served at /metrics")
            }
        } catch {
            isGood = report("receiver", (false, "\(error)")) && isGood
        }
        return isGood
    }

    private static func report(_ what: String, _ outcome: (isGood: Bool, text: String)) -> Bool {
        print("\(what): \(outcome.isGood ? "ok" : "FAILED"), \(outcome.text)")
        return outcome.isGood
    }

    /// Writes to the folder as the journal would; a process that uses it is left alone.
    private static func state(_ settings: Settings) -> (isGood: Bool, text: String) {
        let directory = settings.stateDirectory
        let probe = "\(directory)/check"
        do throws(SystemError) {
            try FileStore.makeDirectory(directory)
            try FileStore.replace(probe, with: Array("lkpush check\n".utf8))
            unlink(probe)
            switch try StateLock.take(directory: directory) {
            case .taken: return (true, "\(directory) can be written")
            case .held(let holder): return (true, "\(directory) can be written, and is used by \(holder)")
            }
        } catch {
            return (false, "\(error)")
        }
    }

    private static func database(_ settings: Settings) -> (isGood: Bool, text: String) {
        do {
            let url = try DatabaseURL(settings.databaseLocation())
            if settings.databaseURL == nil { try FileStore.makeDirectory(settings.stateDirectory) }
            let database = try StoreDriver.open(url)()
            defer { database.close() }
            let store = OfficeStore(database, lookup: try Plan.lookup(settings))
            let pending = try store.pendingMigrations()
            guard pending.isEmpty else {
                return (true, "\(url); the first start, or lkpush migrate, applies \(pending.joined(separator: ", "))")
            }
            if settings.organizationSource == .database { _ = try store.organization(ofRoom: "lkpush check") }
            try store.checkRights(addsOrganizations: settings.organizationSource != .database)
            return (true, "\(url); tables, rights and lookups are in order")
        } catch {
            return (false, plain("\(error)"))
        }
    }

    /// A text of several lines in one.
    static func plain(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
