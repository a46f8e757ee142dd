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
        let deadline = SystemTime().monotonic() + settings.shutdownTimeout
        let guardian = StopGuard(deadline: deadline, log: log)
        let isInTime = service.stop()
        guardian.disarm()
        // Who does not read the log does not make a stop late.
        defer { log.close(by: deadline) }
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
            for name in applied { Terminal.printLine("applied \(name)") }
            // The program does without; who asks for the whole schema is told.
            if let error = store.positionsWithheld { throw error }
            Terminal.printLine(applied.isEmpty ? "The schema is up to date." : "The schema is up to date now.")
            return Status.done
        } catch {
            Terminal.printError("lkpush: the schema cannot be brought up to date: \(Check.plain("\(error)"))\n")
            return Status.failed
        }
    }
}

/// Ends the process when a stop takes too long, or when a second signal asks for it.
private final class StopGuard: Sendable {
    /// How long the line that says why may take to be read.
    private static let lastWords = Duration.milliseconds(100)

    private let isDisarmed = Monitor(false)
    private let guardian: NamedThread

    init(deadline: MonotonicTime, log: Log) {
        // Never joined: it waits for a signal that may never come.
        _ = NamedThread(name: "second-signal") {
            while Signals.wait() == .reload {}
            log.warning("a second signal: stopping at once")
            log.flush(by: SystemTime().monotonic() + Self.lastWords)
            _exit(130)
        }
        guardian = NamedThread(name: "stop-guard") { [isDisarmed] in
            if isDisarmed.wait(until: deadline, { $0 ? true : nil }) != nil { return }
            log.error("stopping took longer than SHUTDOWN_TIMEOUT")
            log.flush(by: SystemTime().monotonic() + Self.lastWords)
            _exit(1)
        }
    }

    func disarm() {
        isDisarmed.change { $0 = true }
        guardian.join()
    }
}
