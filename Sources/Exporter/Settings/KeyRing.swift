package import Platform

/// Which secrets are good now, and which were until a short while ago: pure, without clock and files.
///
/// What is read counts when it was read twice in a row, so that a file that is just being written is never believed. A
/// secret that was replaced stays good for a while where its key is still there: LiveKit and lkpush do not get a new
/// secret at the same moment, and LiveKit does not repeat a webhook that was answered 401. A key that is not there any
/// more is good no more.
package struct KeyRing: Sendable {
    package enum Limits {
        /// How often the files are looked at: a change is in use within a second.
        package static let interval = Duration.milliseconds(500)
        /// How long a secret that was replaced stays good: Kubernetes takes a minute to bring a new one to all pods.
        package static let grace = Duration.seconds(300)
        /// Replaced secrets of one key that are good at one time; the oldest goes first.
        package static let replaced = 4
    }

    /// What a look at the files changed.
    package enum Change: Sendable, Equatable {
        case nothing
        /// Other keys are in use; so many secrets were replaced, and so many keys are gone.
        case keys(replaced: Int, removed: Int)
        /// A replaced secret is good no more.
        case expired
    }

    private struct Replaced: Sendable {
        let pair: KeyPair
        let until: MonotonicTime
    }

    /// In the order of the file: the first one signs.
    package private(set) var pairs: [KeyPair]
    /// The newest last.
    private var replaced: [Replaced] = []
    private var candidate: [KeyPair]?

    package init(_ pairs: [KeyPair]) { self.pairs = pairs }

    /// What was found at a look; it counts when it is found again at the next one.
    package mutating func look(_ found: [KeyPair], at now: MonotonicTime) -> Change {
        if found == pairs || found != candidate {
            candidate = found == pairs ? nil : found
            return expire(at: now)
        }
        return adopt(found, at: now)
    }

    /// The files could not be read, or hold what are no keys: those from before stay.
    package mutating func lookFailed(at now: MonotonicTime) -> Change {
        candidate = nil
        return expire(at: now)
    }

    /// Uses other keys from now on.
    package mutating func adopt(_ found: [KeyPair], at now: MonotonicTime) -> Change {
        candidate = nil
        let expired = expire(at: now)
        guard found != pairs else { return expired }
        let secrets = Dictionary(found.map { ($0.key, $0.secret) }) { first, _ in first }
        let old = pairs
        pairs = found
        let changed = old.filter { pair in secrets[pair.key].map { $0 != pair.secret } ?? false }
        replaced += changed.map { Replaced(pair: $0, until: now + Limits.grace) }
        // A secret that came back is no replaced one, and neither is one of a key that is gone.
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

    /// The secrets that are good now by key, the newest first.
    package var secrets: [String: [Secret]] {
        var secrets: [String: [Secret]] = [:]
        for pair in pairs + replaced.reversed().map(\.pair) { secrets[pair.key, default: []].append(pair.secret) }
        return secrets
    }
}
