import Glibc
import Platform
import Storage
import Wire

/// The commands that need a configuration.
extension Program {
    /// Runs the exporter until a signal stops it. Returns the exit status.
    ///
    /// - Parameter rows: the table of settings.
    static func serve(_ settings: Settings, _ rows: [SettingsReader.Row], log: Log) -> Int32 {
        log.info("lkpush starts", ["version": .string(Version.number)])
        let requests = SignalRequests(timeout: settings.shutdownTimeout, log: log)
        let service: Service
        do throws(StartError) {
            service = try Service(settings, rows: rows, log: log)
        } catch {
            return cannotStart(error, log)
        }
        requests.onStop(service.cancelStart)
        do throws(StartError) {
            try service.start()
        } catch {
            // If a stop was asked for, the start ended as it should: nothing is wrong.
            if error != .stopped { return cannotStart(error, log) }
        }
        while requests.next() == .reload { service.reload() }
        let isInTime = service.stop(by: requests.stopBy)
        // A slow reader of the log must not make the stop late.
        log.close(by: requests.finish())
        return isInTime ? Status.done : Status.failed
    }

    private static func cannotStart(_ failure: StartError, _ log: Log) -> Int32 {
        log.error("lkpush cannot start", ["error": .text(failure)])
        return Status.failed
    }

    /// Creates or upgrades the schema. Returns the exit status.
    static func migrate(_ settings: Settings) -> Int32 {
        do {
            try FileStore.makeDirectory(settings.stateDirectory)
            let store = ApplicationStore(try StoreDriver.location(of: settings.databaseLocation()).open())
            defer { store.close() }
            let applied = try store.migrate(at: SystemTime().now())
            for name in applied { Terminal.printLine("applied \(name)") }
            // The service works without some tables, but this command was asked for the whole schema, so it is an error.
            for table in OptionalTable.allCases { if let error = store.withheld(table) { throw error } }
            Terminal.printLine(applied.isEmpty ? "The schema is up to date." : "The schema is up to date now.")
            return Status.done
        } catch {
            let isForbidden = (error as? StoreError)?.code == StoreError.forbidden
            let cure = isForbidden ? ". Run it as a role that may; lkpush check prints the rights that are missing" : ""
            Terminal.printError("lkpush: the schema cannot be brought up to date: \(Check.plain("\(error)"))\(cure)\n")
            return Status.failed
        }
    }
}
