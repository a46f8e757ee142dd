package import Platform

/// The secrets that are good now, and those that were replaced a short while ago. It is a machine without clock and
/// files.
///
/// A change counts when it was read twice in a row, so that a file that is just being written is never used. A replaced
/// secret stays good for a while if its key is still there: LiveKit and lkpush do not get a new secret at the same
/// moment, and LiveKit does not repeat a webhook that was answered 401. The secrets of a key that was removed are not
/// good any more.
package struct KeyRing: Sendable {
    package enum Limits {
        /// The interval at which the files are read. A change is in use within a second.
        package static let interval = Duration.milliseconds(500)
        /// The time for which a replaced secret stays good. Kubernetes takes a minute to bring a new one to all pods.
        package static let grace = Duration.seconds(300)
        /// The most replaced secrets of one key that are good at one time. The oldest is dropped first.
        package static let replaced = 4
    }

    /// The change that a look at the files made.
    package enum Change: Sendable, Equatable {
        case nothing
        /// Other keys are in use: this many secrets were replaced, and this many keys were removed.
        case keys(replaced: Int, removed: Int)
        /// A replaced secret is not good any more.
        case expired
    }

    private struct Replaced: Sendable {
        let pair: KeyPair
        let until: MonotonicTime
    }

    /// The key pairs in the order of the file. The first one signs.
    package private(set) var pairs: [KeyPair]
    /// The replaced secrets, the newest last.
    private var replaced: [Replaced] = []
    private var candidate: [KeyPair]?

    package init(_ pairs: [KeyPair]) { self.pairs = pairs }

    /// Takes the result of a look. It counts when the next look has the same result.
    package mutating func look(_ found: [KeyPair], at now: MonotonicTime) -> Change {
        if found == pairs || found != candidate {
            candidate = found == pairs ? nil : found
            return expire(at: now)
        }
        return adopt(found, at: now)
    }

    /// Notes that the files could not be read, or hold no keys. The keys stay as they are.
    package mutating func lookFailed(at now: MonotonicTime) -> Change {
        candidate = nil
        return expire(at: now)
    }

    /// Uses these key pairs from now on.
    package mutating func adopt(_ found: [KeyPair], at now: MonotonicTime) -> Change {
        candidate = nil
        let expired = expire(at: now)
        guard found != pairs else { return expired }
        let secrets = Dictionary(found.map { ($0.key, $0.secret) }) { first, _ in first }
        let old = pairs
        pairs = found
        let changed = old.filter { pair in secrets[pair.key].map { $0 != pair.secret } ?? false }
        replaced += changed.map { Replaced(pair: $0, until: now + Limits.grace) }
        // A secret that is in use again is not a replaced one. The secrets of removed keys are dropped.
        replaced.removeAll { one in secrets[one.pair.key].map { $0 == one.pair.secret } ?? true }
        for key in Set(replaced.map(\.pair.key)) { forgetOldest(of: key) }
        return .keys(replaced: changed.count, removed: old.count { secrets[$0.key] == nil })
    }

    private mutating func forgetOldest(of key: String) {
        while replaced.count(where: { $0.pair.key == key }) > Limits.replaced,
            let oldest = replaced.firstIndex(where: { $0.pair.key == key })
        {
            replaced.remove(at: oldest)
        }
    }

    private mutating func expire(at now: MonotonicTime) -> Change {
        let count = replaced.count
        replaced.removeAll { $0.until <= now }
        return replaced.count < count ? .expired : .nothing
    }

    /// The secrets that are good now, by key, the newest first.
    package var secrets: [String: [Secret]] {
        var secrets: [String: [Secret]] = [:]
        for pair in pairs + replaced.reversed().map(\.pair) { secrets[pair.key, default: []].append(pair.secret) }
        return secrets
    }
}
