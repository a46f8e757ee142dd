import Glibc
import Platform
import Storage
import Wire

/// The commands that need a configuration.
extension Program {
    /// Runs the exporter until a signal stops it.
    static func serve(_ settings: Settings, log: Log) -> Int32 {
        log.info("lkpush starts", ["version": .string(Version.number)])
        let service: Service
        do throws(Service.StartFailure) {
            service = try Service(settings, log: log)
        } catch {
            log.error("lkpush cannot start", ["error": .text(error)])
            return Status.failed
        }
        while Signals.wait() == .reload { service.reload() }
        let guardian = StopGuard(limit: settings.shutdownTimeout, log: log)
        let isInTime = service.stop()
        guardian.disarm()
        if let failure = service.startFailure {
            log.error("lkpush cannot start", ["error": .text(failure)])
            return Status.failed
        }
        return isInTime ? Status.done : Status.failed
    }

    /// Creates or upgrades the schema.
    static func migrate(_ settings: Settings) -> Int32 {
        do {
            try FileStore.makeDirectory(settings.stateDirectory)
            let open = try StoreDriver.open(DatabaseURL(settings.databaseLocation()))
            let store = OfficeStore(try open())
            defer { store.close() }
            let applied = try store.migrate(at: SystemTime().now())
            for name in applied { print("applied \(name)") }
            // The program does without; who asks for the whole schema is told.
            if let error = store.positionsWithheld { throw error }
            print(applied.isEmpty ? "The schema is up to date." : "The schema is up to date now.")
            return Status.done
        } catch {
            printError("lkpush: the schema cannot be brought up to date: \(Check.plain("\(error)"))\n")
            return Status.failed
        }
    }
}

/// Ends the process when a stop takes too long, or when a second signal asks for it.
private final class StopGuard: Sendable {
    private let isDisarmed = Monitor(false)
    private let guardian: NamedThread

    init(limit: Duration, log: Log) {
        let deadline = SystemTime().monotonic() + limit
        // Never joined: it waits for a signal that may never come.
        _ = NamedThread(name: "second-signal") {
            while Signals.wait() == .reload {}
            log.warning("a second signal: stopping at once")
            _exit(130)
        }
        guardian = NamedThread(name: "stop-guard") { [isDisarmed] in
            if isDisarmed.wait(until: deadline, { $0 ? true : nil }) != nil { return }
            log.error("stopping took longer than SHUTDOWN_TIMEOUT")
            _exit(1)
        }
    }

    func disarm() {
        isDisarmed.change { $0 = true }
        guardian.join()
    }
}
