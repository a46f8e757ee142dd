import Metrics
import Platform
import Synchronization
import Wire

/// The metric of the differences between clocks, and the warning about a large one.
enum ClockMetrics {
    enum Limits {
        /// A larger difference is told. It costs nothing yet: half of the default of WEBHOOK_CLOCK_LEEWAY.
        static let warning = Duration.seconds(30)
        /// The pause between two warnings about the same peer.
        static let pause = Duration.seconds(600)
    }

    private static let peers = ClockSkew.Peer.allCases

    /// Declares the metric. A series appears with its first measurement, and ends when that is too old.
    static func declare(in registry: Registry, _ skew: ClockSkew, log: Log, time: any TimeSource) {
        let family = registry.gauge(
            "lkpush_clock_skew_seconds",
            "Seconds by which this machine's clock is ahead of another one; negative if it is behind.",
            labels: ["against"])
        let series = Mutex([Gauge?](repeating: nil, count: peers.count))
        registry.onRead {
            let now = time.monotonic()
            for (place, peer) in peers.enumerated() {
                let difference = skew.difference(from: peer, at: now)
                series.withLock { series in
                    guard let difference else {
                        if series[place] != nil { family.end([peer.rawValue]) }
                        series[place] = nil
                        return
                    }
                    if series[place] == nil { series[place] = family.series([peer.rawValue]) }
                    series[place]?.set(difference.inSeconds)
                }
                if let difference, max(difference, .zero - difference) > Limits.warning { warn(peer, difference, log) }
            }
        }
    }

    private static func warn(_ peer: ClockSkew.Peer, _ difference: Duration, _ log: Log) {
        log.throttled(
            .warning, every: Limits.pause, by: peer.rawValue,
            """
            the clock of this machine and that of a peer differ: beyond WEBHOOK_CLOCK_LEEWAY webhooks are refused and their \
            events lost, and samples are stored at a wrong time or refused
            """,
            [
                "against": .string(peer.rawValue), "ahead_ms": .milliseconds(difference),
                "action": """
                see which of the two is wrong, and let NTP set it: timedatectl or chronyc tracking tell whether this \
                machine's time is synchronized
                """,
            ])
    }
}
