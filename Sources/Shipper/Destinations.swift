package import HTTPClient
package import Metrics
package import Platform
package import RemoteWrite
package import Status
import Wire

/// Pushes the registry to every destination, until it is stopped: one thread reads, and one for each destination sends.
///
/// Any thread may call it, in this order: first `makeFirstReading`, at last `stop`.
package final class Destinations: Sendable {
    private let registry: Registry
    private let log: Log
    private let time: any TimeSource
    private let shippers: [ShipperThread]
    private let refresh: (@Sendable () -> Void)?
    private let readerMetrics: ReaderMetrics
    private let reader = Monitor<ReaderThread?>(nil)

    /// Declares the metrics of all destinations. Traps if the registry has destinations already, or if two have one
    /// name.
    ///
    /// - Parameters:
    ///   - settings: at least one.
    ///   - clocks: gets what the answers tell about the receivers' clocks.
    ///   - refresh: asks for the totals of what grows while time passes, and does not wait for them. It is called shortly
    ///     before each reading that has the series of the idle grid.
    ///   - journal: keeps what the next process must know. Without one, nothing survives this process but the spools.
    package init(
        _ settings: [ShipperSettings], registry: Registry, journal: (any ReadingJournal)? = nil,
        clocks: ClockSkew = ClockSkew(), refresh: (@Sendable () -> Void)? = nil, log: Log,
        time: any TimeSource = SystemTime()
    ) {
        precondition(!settings.isEmpty, "there is a destination")
        self.registry = registry
        self.refresh = refresh
        self.log = log
        self.time = time
        let families = ShipperFamilies(in: registry)
        readerMetrics = ReaderMetrics(in: registry)
        shippers = settings.enumerated().map { place, settings in
            ShipperThread(settings, families, journal: journal, log: log, time: time) { interval, now in
                clocks.note(receiver: place, interval, at: now)
            }
        }
    }

    /// Starts the threads, and returns when every series was read. Call it before events are let in, so that every
    /// counter is known to have been zero.
    ///
    /// - Parameter states: what an earlier process sent. Its series that do not exist any more get a stale marker, and
    ///   nothing is sent at or before its last time. If the clock is behind that time, the first reading waits until it
    ///   is past it.
    /// - Parameter others: the destinations of this process that others look after. Their spools are in use.
    package func makeFirstReading(
        restoring states: ShippedStates = ShippedStates(), beside others: [String] = []
    ) throws(TransportError) {
        let names = shippers.map(\.settings.destination)
        for (number, shipper) in shippers.enumerated() {
            shipper.start(
                restoring: states[names[number]], families: registry.descriptors,
                configured: number == 0 ? names + others : nil)
        }
        var newest = states.lastReading
        for shipper in shippers {
            do throws(TransportError) {
                if let time = try shipper.awaitStart() { newest = max(newest ?? time, time) }
            } catch {
                _ = stop(by: time.monotonic())
                throw error
            }
        }
        tellTotals()
        let schedule = shippers[0].settings.schedule
        let started = ReaderThread(
            registry, readerMetrics, shippers, schedule, after: newest, refresh: refresh, log: log, time: time)
        reader.change { $0 = started }
        for shipper in shippers {
            log.info(
                "metrics are pushed",
                [
                    "destination": .string(shipper.settings.destination), "url": .text(shipper.settings.url),
                    "every_ms": .milliseconds(schedule.pushInterval), "idle_ms": .milliseconds(schedule.idleInterval),
                ])
        }
    }

    /// Logs what all destinations together may take during an outage.
    private func tellTotals() {
        let all = shippers.map(\.settings)
        let memory_bytes = all.reduce(0) { $0 + $1.delivery.queue.bytes }
        let disk_bytes = all.reduce(0) { $0 + ($1.spool?.maxBytes.bytes ?? 0) }
        log.info(
            "while receivers are away, what waits takes at most this much",
            [
                "destinations": .int(all.count), "memory_bytes": .int(memory_bytes), "disk_bytes": .int(disk_bytes),
            ])
    }

    /// What each destination last published of itself, in the order of the settings: all of `DestinationStatus` but
    /// `samplesPerSecond` and `plots`. It waits for no destination, and works from the beginning until after the stop.
    package var status: [DestinationStatus] {
        let now = time.now()
        return shippers.map { $0.published.status(at: now) }
    }

    /// The sizes of the destinations' tables.
    package var tables: [TableMemory] { shippers.flatMap(\.published.tables) }

    /// Reads the credentials again now. Requests that wait are tried at once.
    package func reloadCredentials() { for shipper in shippers { shipper.reloadCredentials() } }

    /// Takes a last reading, ends every series, sends what it can until `deadline`, and ends the threads.
    ///
    /// It returns right after the deadline at the latest. Call it at most once. Before the first reading it does
    /// nothing.
    ///
    /// - Returns: the fates of all samples, for all destinations together.
    package func stop(by deadline: MonotonicTime) -> ShipperReport {
        let reading: ReaderThread? = reader.change { reader in
            defer { reader = nil }
            return reader
        }
        reading?.stop(by: deadline)
        for shipper in shippers { shipper.requestStop(by: deadline) }
        // A thread looks at its deadline between two steps, each of which is short.
        let patience = deadline + .seconds(2)
        return shippers.reduce(ShipperReport()) { $0 + $1.awaitEnd(until: patience) }
    }

    /// Deletes the spools of destinations that do not run, because what they hold may be older than what another process
    /// has sent since.
    package static func discardSpools(of settings: [ShipperSettings], log: Log) {
        for settings in settings {
            guard let spool = settings.spool ?? settings.unusedSpools else { continue }
            let path = SpoolFile.path(directory: spool.directory, destination: settings.destination)
            guard SpoolFile.exists(at: path) else { continue }
            let samples = SpoolFile.glimpse(at: path)?.samples ?? 0
            SpoolFile.discard(path)
            if samples == 0 { continue }
            log.warning(
                """
                samples of an earlier leadership are dropped: another replica may have sent later ones since, so the \
                receiver would refuse them; the totals are right with the next sample
                """,
                ["destination": .string(settings.destination), "samples": .int(samples)])
        }
    }

    /// Declares the metrics of destinations that do not run, for a list of all names.
    package static func declareMetrics(in registry: Registry) {
        _ = ReaderMetrics(in: registry)
        _ = ShipperMetrics(ShipperFamilies(in: registry), destination: "", remoteName: "", url: "")
    }
}
