import Wire

/// The least of the numbers that came within the last minutes. It allocates nothing once it is made.
struct WindowedLeast: Sendable {
    /// A part of the window: its number since the start of the clock, and the least of it.
    private var parts: [(number: Int64, least: Int64)]
    private let part: Duration
    private var latest: (least: Int64, at: MonotonicTime)?

    init(window: Duration, parts count: Int) {
        part = window / count
        parts = Array(repeating: (number: Int64.min, least: Int64.max), count: count)
    }

    mutating func take(_ value: Int64, at now: MonotonicTime) {
        let number = number(of: now)
        let place = Int(number % Int64(parts.count))
        let isNew = parts[place].number != number
        parts[place] = (number, isNew ? value : min(parts[place].least, value))
        latest = (least(at: now) ?? value, now)
    }

    /// The least of the window that ends now, or that ended with the last number. Nil if none came within `lifetime`.
    func value(at now: MonotonicTime, lifetime: Duration) -> Int64? {
        guard let latest, now.since(latest.at) <= lifetime else { return nil }
        return least(at: now) ?? latest.least
    }

    private func least(at now: MonotonicTime) -> Int64? {
        let oldest = number(of: now) - Int64(parts.count)
        var least: Int64?
        for part in parts where part.number > oldest { least = min(least ?? part.least, part.least) }
        return least
    }

    private func number(of time: MonotonicTime) -> Int64 {
        max(0, time.nanoseconds) / max(1, part.milliseconds * 1_000_000)
    }
}
