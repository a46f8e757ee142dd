import Metrics
import Platform

/// The thread `durability`: it looks from time to time whether commits of the shared log wait for a standby, and shows that
/// as a metric.
///
/// Any thread may stop it, once.
final class DurabilityThread: Sendable {
    enum Limits {
        /// The wait between two looks. Nobody changes that setting more often.
        static let pace = Duration.seconds(60)
        /// The wait after a look that failed.
        static let soon = Duration.seconds(5)
    }

    private let isStopping = Monitor(false)
    private let interruption = Interruption()
    private let thread: NamedThread

    /// Starts the thread.
    ///
    /// - Parameter look: asks the database; nil where that does not answer. The interruption ends its wait.
    init(registry: Registry, time: any TimeSource, look: @escaping @Sendable (Interruption) -> Bool?) {
        let family = Self.family(in: registry)
        thread = NamedThread(name: "durability") { [isStopping, interruption] in
            while true {
                let found = look(interruption)
                // Nothing is better than an old answer.
                if let found { family.series()?.set(found ? 1 : 0) } else { family.end([]) }
                let next = time.monotonic() + (found == nil ? Limits.soon : Limits.pace)
                if isStopping.wait(until: next, { $0 ? true : nil }) != nil { return }
            }
        }
    }

    /// Ends the thread. A look that is under way ends at once.
    func stop() {
        isStopping.change { $0 = true }
        interruption.interrupt()
        thread.join()
    }

    private static func family(in registry: Registry) -> Family<Gauge> {
        registry.gauge(
            "lkpush_journal_synchronous", "1 while commits of the shared log wait for a standby, else 0.")
    }

    /// Declares the metric of a thread that does not run, for a list of all names.
    static func declareMetrics(in registry: Registry) { _ = family(in: registry) }
}
