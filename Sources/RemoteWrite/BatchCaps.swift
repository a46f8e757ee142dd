package import Platform

/// The size limit of a request in compressed bytes. A receiver's own limit is unknown, so it is found by trial.
package struct BatchCaps: Sendable {
    /// The limit for later requests.
    package private(set) var cap_bytes: Int
    /// The first value of `cap_bytes`. It never rises above this.
    private let full_bytes: Int
    /// The largest body that the receiver accepted since the cap was lowered, or the lowered cap itself.
    private var known_bytes = Int.max
    private var risesAt: MonotonicTime?

    package init(full_bytes: Int) {
        cap_bytes = full_bytes
        self.full_bytes = full_bytes
    }

    /// Halves the cap if this body kept within it. Returns true if the body is larger than any that was accepted: the
    /// cap rose too high, or the body was made before the cap was lowered.
    package mutating func noteTooLarge(_ size: Int, at now: MonotonicTime) -> Bool {
        let isTrial = size > known_bytes
        if isTrial {
            cap_bytes = min(cap_bytes, known_bytes)
        } else if size <= cap_bytes {
            cap_bytes = min(cap_bytes, max(Delivery.Limits.smallestCap_bytes, cap_bytes / 2))
            known_bytes = cap_bytes
        }
        risesAt = now + Delivery.Limits.capRest
        return isTrial
    }

    /// Doubles a lowered cap from time to time: the limit may have been a proxy's for a while, or was raised. A trial
    /// loses nothing, because a request that is too large is split, whatever its size.
    package mutating func noteAccepted(_ size: Int, at now: MonotonicTime) {
        guard cap_bytes < full_bytes else { return }
        known_bytes = max(known_bytes, size)
        guard let time = risesAt, now >= time else { return }
        cap_bytes = min(full_bytes, cap_bytes * 2)
        risesAt = now + Delivery.Limits.capRest
    }
}
