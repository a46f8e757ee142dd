import LiveKit
import Wire

/// Ids that are remembered for a time, with what is known of each: at most a given number, oldest forgotten first.
///
/// A ring of 16 bytes per id in the order of remembering, and an open-addressing table of 4-byte positions, at most
/// half full: 24 bytes per id, 25 MB for a million. Where ends are kept too 4 bytes more, with versions 12 more. All
/// operations take constant time, amortised.
struct RememberedIDs: Sendable {
    /// What is kept of each id besides its facts.
    enum Detail: Sendable {
        case none, ends, endsAndVersions
    }

    struct Entry: Sendable {
        var key: UInt64
        /// 48 bits of milliseconds since the epoch, a bit that says that the id moved on, then 15 bits of facts.
        var packed: UInt64

        private static let movedOn: UInt64 = 1 << 15

        init(key: UInt64, at time: Timestamp, facts: Facts) {
            self.key = key
            assert(UInt64(facts.bits) < Self.movedOn, "facts have 15 bits")
            packed = UInt64(max(0, time.milliseconds)) << 16 | UInt64(facts.bits)
        }

        var time_ms: Int64 { Int64(packed >> 16) }
        var facts: Facts { Facts(bits: UInt16(truncatingIfNeeded: packed & (Self.movedOn - 1))) }
        /// The id stands further behind in the ring, with what became known since; here it only takes its place.
        var hasMovedOn: Bool { packed & Self.movedOn != 0 }

        mutating func moveOn() { packed |= Self.movedOn }

        /// What stands for an id that is not remembered any more.
        static let forgotten = Entry(key: 0, saved: movedOn)

        /// As it is saved: whether it moved on is seen from those behind it.
        var saved: UInt64 { packed & ~Self.movedOn }

        init(key: UInt64, saved: UInt64) {
            self.key = key
            packed = saved
        }
    }

    /// The table keeps, beside a place in the ring, this much of the key: a search that meets other keys on its way
    /// seldom has to read the ring, which is not in the cache.
    private static let place_bits: UInt32 = 21
    private static let place_mask: UInt32 = 1 << place_bits - 1
    private static let smallest = 16

    private let limit: Int
    private let detail: Detail
    private var ring: [Entry] = []
    /// In the places of the ring, when each id ended, in Unix seconds; 0 where that is not known.
    private var ends: [UInt32] = []
    /// In the places of the ring, the packed version that each had at its end; 0 for none.
    private var versions: [UInt64] = []
    private var head = 0
    /// Places of the ring that are taken, by ids that have moved on too.
    private var length = 0
    /// Ids that are remembered.
    private(set) var count = 0
    /// 0 is free, else a place in the ring plus 1, and above it the highest bits of the key.
    private var index: [UInt32] = []
    /// Ids forgotten early because the limit was reached.
    private(set) var forgotten = 0
    /// Number of the next place that is taken; places are numbered from 0 in the order of remembering.
    private(set) var next: UInt64 = 0
    /// Number of the first place that has not been saved.
    private var unsaved: UInt64 = 0

    init(limit: Int, keeping detail: Detail = .none) {
        precondition(limit > 0 && limit <= 1 << (Self.place_bits - 1), "places must fit beside the key")
        self.limit = limit
        self.detail = detail
    }

    /// What is known of an id, nil where it is not remembered.
    subscript(id: Fingerprint) -> Facts? {
        guard count > 0, let probe = probe(of: id.bits) else { return nil }
        return ring[place(at: probe)].facts
    }

    /// How the last life of an id ended, nil where it is not remembered. An end whose time was not kept was when the
    /// id was remembered.
    subscript(ending id: Fingerprint) -> Ending? {
        guard count > 0, let probe = probe(of: id.bits) else { return nil }
        return ending(in: place(at: probe))
    }

    private func ending(in place: Int) -> Ending {
        var ending = Ending(facts: ring[place].facts)
        if detail != .none, ends[place] > 0 {
            ending.at_s = Int64(ends[place])
        } else if ending.facts.isClosed {
            ending.at_s = ring[place].time_ms / 1_000
        }
        if detail == .endsAndVersions { ending.version = TrackVersion(packed: versions[place]) }
        return ending
    }

    /// Remembers an id from `time` on; returns false, and changes nothing, where it is remembered already.
    mutating func insert(_ id: Fingerprint, at time: Timestamp) -> Bool {
        if count > 0, probe(of: id.bits) != nil { return false }
        add(id, .none, at: time)
        return true
    }

    /// Remembers an id from `time` on. One that is remembered already is so from `time` on where the facts say
    /// something new of it, else nothing changes: facts are few, so nobody can be remembered for ever.
    mutating func remember(_ id: Fingerprint, _ facts: Facts = .none, at time: Timestamp) {
        guard count > 0, let probe = probe(of: id.bits) else { return add(id, facts, at: time) }
        let place = place(at: probe)
        let all = ring[place].facts.union(facts)
        if all == ring[place].facts { return }
        ring[place].moveOn()
        count -= 1
        unlink(probe)
        add(id, all, at: time)
    }

    /// Remembers an id with this ending, in place of what was known of it; changes nothing where it is the same.
    mutating func set(_ id: Fingerprint, _ ending: Ending, at time: Timestamp) {
        if count > 0, let probe = probe(of: id.bits) {
            let place = place(at: probe)
            if self.ending(in: place) == ending { return }
            ring[place].moveOn()
            count -= 1
            unlink(probe)
        }
        add(id, ending.facts, at: time)
        let place = (head + length - 1) & (ring.count - 1)
        if detail != .none { ends[place] = UInt32(clamping: ending.at_s) }
        if detail == .endsAndVersions { versions[place] = ending.version?.packed ?? 0 }
    }

    private mutating func add(_ id: Fingerprint, _ facts: Facts, at time: Timestamp) {
        if length == limit {
            if !ring[head].hasMovedOn { forgotten += 1 }
            forgetOldest()
        }
        if length == ring.count { resize(to: max(Self.smallest, ring.count * 2)) }
        let place = (head + length) & (ring.count - 1)
        ring[place] = Entry(key: id.bits, at: time, facts: facts)
        if detail != .none { ends[place] = 0 }
        if detail == .endsAndVersions { versions[place] = 0 }
        length += 1
        count += 1
        next += 1
        link(place)
    }

    /// Forgets all that were remembered at `time` or earlier.
    mutating func expire(upTo time: Timestamp) {
        while length > 0, ring[head].time_ms <= time.milliseconds { forgetOldest() }
        if ring.count > Self.smallest && length < ring.count / 8 { resize(to: ring.count / 4) }
    }

    // MARK: Saving

    /// Number of the oldest place that is taken.
    var first: UInt64 { next - UInt64(length) }

    /// The places taken since the last call, or all of them, at most `most` at a time; nil where there are none.
    mutating func takeUnsaved(most: Int) -> IDRun? {
        unsaved = max(unsaved, first)
        if unsaved == next { return nil }
        let count = min(Int(next - unsaved), most)
        var run = IDRun(first: unsaved)
        run.reserve(count)
        let start = head + Int(unsaved - first)
        for offset in start..<(start + count) {
            let place = offset & (ring.count - 1)
            run.append(ring[place])
            if detail != .none { run.append(end: ends[place]) }
            if detail == .endsAndVersions { run.append(version: versions[place]) }
        }
        unsaved += UInt64(count)
        return run
    }

    /// Makes `takeUnsaved` begin with the oldest again.
    mutating func saveAgain() { unsaved = 0 }

    /// Remembers what was saved. Runs come in the order of their numbers; what is outside of `first..<next` is left
    /// out, and numbers that are in no run stand for ids that are not remembered any more.
    ///
    /// - Returns: how many numbers are in no run.
    mutating func restore(_ runs: [IDRun], first: UInt64, next end: UInt64) throws(MessageFault) -> Int {
        guard first <= end, end < 1 << 62, end - first <= UInt64(limit) else {
            throw MessageFault("more ids than are remembered")
        }
        var missing = 0
        next = first
        for run in runs {
            guard run.first < 1 << 62 else { throw MessageFault("an id has no number") }
            for offset in 0..<run.count {
                let number = run.first + UInt64(offset)
                if number < next || number >= end { continue }
                missing += skip(to: number)
                restore(run[offset], end: run.end(at: offset), version: run.version(at: offset))
            }
        }
        missing += skip(to: end)
        unsaved = end
        return missing
    }

    /// Takes the places up to a number by what is not remembered.
    private mutating func skip(to number: UInt64) -> Int {
        let missing = Int(number - next)
        if length == 0 {
            next = number
        } else {
            for _ in 0..<missing { append(.forgotten) }
        }
        return missing
    }

    private mutating func restore(_ entry: Entry, end: UInt32, version: UInt64) {
        // An id that stands further behind again has moved there.
        if count > 0, let probe = probe(of: entry.key) {
            ring[place(at: probe)].moveOn()
            unlink(probe)
            count -= 1
        }
        append(entry, end: end, version: version)
        count += 1
        link((head + length - 1) & (ring.count - 1))
    }

    private mutating func append(_ entry: Entry, end: UInt32 = 0, version: UInt64 = 0) {
        if length == ring.count { resize(to: max(Self.smallest, ring.count * 2)) }
        let place = (head + length) & (ring.count - 1)
        ring[place] = entry
        if detail != .none { ends[place] = end }
        if detail == .endsAndVersions { versions[place] = version }
        length += 1
        next += 1
    }

    // MARK: The table

    /// Where the table points to this key, nil where it does not.
    private func probe(of key: UInt64) -> Int? {
        let mask = index.count - 1
        var probe = Int(truncatingIfNeeded: key) & mask
        let tag = Self.tag(of: key)
        while index[probe] != 0 {
            if index[probe] & ~Self.place_mask == tag && ring[place(at: probe)].key == key { return probe }
            probe = (probe + 1) & mask
        }
        return nil
    }

    private mutating func link(_ place: Int) {
        let mask = index.count - 1
        var probe = Int(truncatingIfNeeded: ring[place].key) & mask
        while index[probe] != 0 { probe = (probe + 1) & mask }
        index[probe] = UInt32(place + 1) | Self.tag(of: ring[place].key)
    }

    /// The highest bits of a key, where the table keeps them; the lowest decide where it is in the table.
    private static func tag(of key: UInt64) -> UInt32 { UInt32(key >> 32) & ~place_mask }

    /// The place in the ring that an occupied place of the table points to.
    private func place(at probe: Int) -> Int { Int(index[probe] & Self.place_mask) - 1 }

    private mutating func forgetOldest() {
        if !ring[head].hasMovedOn, let probe = probe(of: ring[head].key) {
            unlink(probe)
            count -= 1
        }
        head = (head + 1) & (ring.count - 1)
        length -= 1
    }

    /// Frees a place of the table and closes the gap, so that no search stops early.
    private mutating func unlink(_ probe: Int) {
        let mask = index.count - 1
        var gap = probe
        var next = (gap + 1) & mask
        while index[next] != 0 {
            let home = Int(truncatingIfNeeded: ring[place(at: next)].key) & mask
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
        let vacant = Entry(key: 0, at: Timestamp(milliseconds: 0), facts: .none)
        let places = ring.count
        ring = straightened(ring, places, to: capacity, vacant)
        if detail != .none { ends = straightened(ends, places, to: capacity, 0) }
        if detail == .endsAndVersions { versions = straightened(versions, places, to: capacity, 0) }
        head = 0
        index = [UInt32](repeating: 0, count: capacity * 2)
        for place in 0..<length where !ring[place].hasMovedOn { link(place) }
    }

    /// What is in use of a ring of so many places, from its beginning on, and vacant places behind it.
    private func straightened<Element>(
        _ ring: [Element], _ places: Int, to capacity: Int, _ vacant: Element
    ) -> [Element] {
        var moved: [Element] = []
        moved.reserveCapacity(capacity)
        for offset in 0..<length { moved.append(ring[(head + offset) & (places - 1)]) }
        moved.append(contentsOf: repeatElement(vacant, count: capacity - length))
        return moved
    }
}
