package import Platform
package import Storage

/// Decides which rooms without an organization are told: each once, and not too many at a time. Rooms that are not told
/// are counted, and the count is told.
///
/// It is a pure machine. `Limits.names` bounds its memory; beyond that it forgets which rooms it told. A database that
/// does not answer concerns all rooms alike. So one of them stands for the others, and they hide no room that must be
/// looked at.
package struct UnknownRooms {
    /// The bounds of what is told, each with its reason.
    package enum Limits {
        /// Lines in any minute. A thousand rooms at once must not fill the log.
        package static let linesPerMinute = 10
        /// The lines among them that name a room for which the database did not answer.
        package static let unansweredPerMinute = 1
        package static let minute: Duration = .seconds(60)
        /// The time after which a room that still has no organization is told again.
        package static let silence: Duration = .seconds(3_600)
        /// Rooms that are remembered as told or as counted: 32 bytes each.
        package static let names = 5_000
    }

    /// A line for the log.
    package enum Line: Sendable, Equatable {
        /// A room, why it has no organization, and how many rooms of its sort were not told before it.
        case room(LookupError, untold: Int)
        /// The number of rooms that were not told and that no later line tells.
        case untold(Int)
    }

    /// The lines of one sort.
    private struct Tally {
        let limit: Int
        /// The times of the last lines, at most `limit`.
        var lines: [MonotonicTime] = []
        var untold = 0
        /// The time of the first room that is untold; nil where there is none.
        var since: MonotonicTime?

        func allows(_ now: MonotonicTime) -> Bool {
            lines.count < limit || lines[0] + Limits.minute <= now
        }

        mutating func say(at now: MonotonicTime) {
            if lines.count == limit { lines.removeFirst() }
            lines.append(now)
        }

        mutating func leaveOut(at now: MonotonicTime) {
            untold += 1
            since = since ?? now
        }

        mutating func takeUntold() -> Int {
            defer { (untold, since) = (0, nil) }
            return untold
        }
    }

    private struct Name: Hashable {
        let hash: Int
        let reason: LookupError
    }

    private var all = Tally(limit: Limits.linesPerMinute)
    private var unanswered = Tally(limit: Limits.unansweredPerMinute)
    /// The time until which each is not looked at again.
    private var known: [Name: MonotonicTime] = [:]

    package init() {}

    /// Notes that an event of a room counted under `unknown`. Returns the line that is to be said now, if any.
    package mutating func note(_ room: String, _ reason: LookupError, at now: MonotonicTime) -> Line? {
        let name = Name(hash: room.hashValue, reason: reason)
        if let until = known[name], now < until { return nil }
        if known[name] == nil { makeRoom(at: now) }
        let isUnanswered = reason == .lookup_error
        guard all.allows(now), !isUnanswered || unanswered.allows(now) else {
            // The room is counted once a minute, until there is a line for it.
            known[name] = now + Limits.minute
            if isUnanswered { unanswered.leaveOut(at: now) } else { all.leaveOut(at: now) }
            return nil
        }
        known[name] = now + Limits.silence
        all.say(at: now)
        if !isUnanswered { return .room(reason, untold: all.takeUntold()) }
        unanswered.say(at: now)
        return .room(reason, untold: unanswered.takeUntold())
    }

    /// Returns the count of untold rooms where no room has told it for a minute. Call it now and then.
    package mutating func overdue(at now: MonotonicTime) -> Line? {
        guard let since = [all.since, unanswered.since].compactMap({ $0 }).min(), since + Limits.minute <= now,
            all.allows(now)
        else { return nil }
        all.say(at: now)
        return rest()
    }

    /// Returns the count of untold rooms that is left at the end.
    package mutating func rest() -> Line? {
        let untold = all.takeUntold() + unanswered.takeUntold()
        return untold > 0 ? .untold(untold) : nil
    }

    /// The number of rooms that are remembered.
    package var count: Int { known.count }

    private mutating func makeRoom(at now: MonotonicTime) {
        guard known.count >= Limits.names else { return }
        known = known.filter { now < $0.value }
        // Among so many rooms it is better to tell one twice than to look at all of them for each.
        if known.count > Limits.names / 2 { known.removeAll() }
    }
}
