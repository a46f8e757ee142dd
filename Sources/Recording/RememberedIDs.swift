import Wire

/// Ids that are remembered for a time, with what is known of each: at most a given number, oldest forgotten first.
///
/// A ring of 16 bytes per id in the order of remembering, and an open-addressing table of 4-byte positions, at most
/// half full: 24 bytes per id, 25 MB for a million. All operations take constant time, amortised.
struct RememberedIDs: Sendable {
    private struct Entry: Sendable {
        var key: UInt64
        /// 48 bits of milliseconds since the epoch, then 16 bits of facts.
        var packed: UInt64

        init(key: UInt64, at time: Timestamp, facts: Facts) {
            self.key = key
            packed = UInt64(max(0, time.milliseconds)) << 16 | UInt64(facts.bits)
        }

        var time_ms: Int64 { Int64(packed >> 16) }

        var facts: Facts {
            get { Facts(bits: UInt16(truncatingIfNeeded: packed)) }
            set { packed = packed & ~0xFFFF | UInt64(newValue.bits) }
        }
    }

    private static let smallest = 16

    private let limit: Int
    private var ring: [Entry] = []
    private var head = 0
    private(set) var count = 0
    /// 0 is free, else a place in the ring plus 1.
    private var index: [UInt32] = []
    /// Ids forgotten early because the limit was reached.
    private(set) var forgotten = 0

    init(limit: Int) {
        precondition(limit > 0 && limit < Int(UInt32.max) / 2, "places must fit their type")
        self.limit = limit
    }

    /// What is known of an id, nil where it is not remembered.
    subscript(id: Fingerprint) -> Facts? {
        guard count > 0, let probe = probe(of: id.bits) else { return nil }
        return ring[Int(index[probe]) - 1].facts
    }

    /// Remembers an id from `time` on; of one that is remembered already adds the facts and leaves the time.
    mutating func remember(_ id: Fingerprint, _ facts: Facts = .none, at time: Timestamp) {
        if count > 0, let probe = probe(of: id.bits) {
            let place = Int(index[probe]) - 1
            ring[place].facts = ring[place].facts.union(facts)
            return
        }
        if count == limit {
            forgetOldest()
            forgotten += 1
        }
        if count == ring.count { resize(to: max(Self.smallest, ring.count * 2)) }
        let place = (head + count) & (ring.count - 1)
        ring[place] = Entry(key: id.bits, at: time, facts: facts)
        count += 1
        link(place)
    }

    /// Forgets all that were remembered at `time` or earlier.
    mutating func expire(upTo time: Timestamp) {
        while count > 0, ring[head].time_ms <= time.milliseconds { forgetOldest() }
        if ring.count > Self.smallest && count < ring.count / 8 { resize(to: ring.count / 4) }
    }

    // MARK: The table

    /// Where the table points to this key, nil where it does not.
    private func probe(of key: UInt64) -> Int? {
        let mask = index.count - 1
        var probe = Int(truncatingIfNeeded: key) & mask
        while index[probe] != 0 {
            if ring[Int(index[probe]) - 1].key == key { return probe }
            probe = (probe + 1) & mask
        }
        return nil
    }

    private mutating func link(_ place: Int) {
        let mask = index.count - 1
        var probe = Int(truncatingIfNeeded: ring[place].key) & mask
        while index[probe] != 0 { probe = (probe + 1) & mask }
        index[probe] = UInt32(place + 1)
    }

    private mutating func forgetOldest() {
        if let probe = probe(of: ring[head].key) { unlink(probe) }
        head = (head + 1) & (ring.count - 1)
        count -= 1
    }

    /// Frees a place of the table and closes the gap, so that no search stops early.
    private mutating func unlink(_ probe: Int) {
        let mask = index.count - 1
        var gap = probe
        var next = (gap + 1) & mask
        while index[next] != 0 {
            let home = Int(truncatingIfNeeded: ring[Int(index[next]) - 1].key) & mask
            // It may move into the gap when its home is not between the gap and where it stands.
            if (next - home) & mask >= (next - gap) & mask {
                index[gap] = index[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        index[gap] = 0
    }

    private mutating func resize(to capacity: Int) {
        var moved: [Entry] = []
        moved.reserveCapacity(capacity)
        for offset in 0..<count { moved.append(ring[(head + offset) & (ring.count - 1)]) }
        let vacant = Entry(key: 0, at: Timestamp(milliseconds: 0), facts: .none)
        moved.append(contentsOf: repeatElement(vacant, count: capacity - count))
        ring = moved
        head = 0
        index = [UInt32](repeating: 0, count: capacity * 2)
        for place in 0..<count { link(place) }
    }
}
