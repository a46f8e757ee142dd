import Platform
import Wire

/// How many requests may run at once, and how fast they may follow each other.
///
/// Both grow by steps and are halved when the receiver answers that it has too much to do: additive increase,
/// multiplicative decrease, as in the congestion control of TCP. https://www.rfc-editor.org/rfc/rfc5681#section-3.1
struct Pace: Sendable {
    enum Limits {
        /// The ticks without a backlog after which one request fewer runs at once.
        static let calmTicks = 4
        /// The lowest rate in requests per second.
        static let lowestRate = 0.1
        /// The weight of the newest request in the averages.
        static let weight = 0.2
    }

    /// The most requests at once.
    let most: Int
    private var window = 1.0
    private var calmTicks = 0
    /// Requests per second. Nil if they are not slowed down.
    private(set) var rate: Double?
    private var notBefore: MonotonicTime?
    /// The average duration of requests in seconds, and the samples that one of them carries in a second.
    private var duration: Double?
    private var throughput: Double?
    private var lastTick: MonotonicTime?
    /// The number of requests at once that would send everything that waits within one tick, on average: one late
    /// answer is no trouble.
    private(set) var desired = 1.0

    init(most: Int) { self.most = most }

    /// The number of requests that should run at once.
    var shards: Int { min(most, Int(window)) }

    /// Notes a tick: more requests run at once while a backlog is sent, and fewer after some ticks without one.
    mutating func noteTick(at now: MonotonicTime, pending: UInt64, isFailing: Bool) {
        if let lastTick, let throughput, throughput > 0 {
            let interval = max(0.001, now.since(lastTick).inSeconds)
            desired = Self.average(desired, max(1, Double(pending) / (throughput * interval)))
        }
        lastTick = now
        if pending == 0 {
            calmTicks += 1
            if calmTicks >= Limits.calmTicks {
                calmTicks = 0
                window = max(1, window - 1)
            }
        } else {
            calmTicks = 0
            if !isFailing { window = min(Double(most), window + 1) }
        }
    }

    /// The time before which no request may begin. Nil if one may begin now.
    func waits(at now: MonotonicTime) -> MonotonicTime? { notBefore.flatMap { now < $0 ? $0 : nil } }

    mutating func noteBegun(at now: MonotonicTime) {
        if let rate { notBefore = now + .seconds(1 / rate) }
    }

    mutating func noteAccepted(samples: Int, took: Duration) {
        let seconds = max(0.000_1, took.inSeconds)
        duration = Self.average(duration, seconds)
        throughput = Self.average(throughput, Double(samples) / seconds)
        guard let rate, let duration else { return }
        // One request per second more in each second.
        let next = rate + 1 / rate
        self.rate = next > 2 * Double(shards) / duration ? nil : next
        if self.rate == nil { notBefore = nil }
    }

    /// Notes that the receiver has too much to do.
    mutating func noteOverload() {
        window = max(1, window / 2)
        let usual = Double(shards) / (duration ?? 1)
        rate = max(Limits.lowestRate, (rate ?? usual) / 2)
    }

    /// Ends all slowing down, for the last chance before a stop.
    mutating func hurry() {
        rate = nil
        notBefore = nil
    }

    private static func average(_ old: Double?, _ new: Double) -> Double {
        guard let old else { return new }
        return old + (new - old) * Limits.weight
    }
}
