import LiveKit
import Wire

/// Ids that are remembered for a time, with the facts about each. There is a maximum number, beyond which the oldest
/// are forgotten first.
///
/// The ids are in a ring of 16 bytes per id, in the order in which they were remembered. An open-addressing hash table
/// of 4-byte positions, at most half full, finds them. Both have a power of two of places. That makes 24 bytes per
/// place, or 25 MB for a million ids; ends take 4 bytes more, versions 12 more. All operations take constant time,
/// amortised.
struct RememberedIDs: Sendable {
    /// The details that are kept of each id besides its facts.
    enum Detail: Sendable {
        case none, ends, endsAndVersions
    }

    struct Entry: Sendable {
        var key: UInt64
        /// 48 bits of milliseconds since the epoch, one bit that says that the id moved on, and 15 bits of facts.
        var packed: UInt64

        private static let movedOn: UInt64 = 1 << 15

        init(key: UInt64, at time: Timestamp, facts: Facts) {
            self.key = key
            assert(UInt64(facts.bits) < Self.movedOn, "facts have 15 bits")
            packed = UInt64(max(0, time.milliseconds)) << 16 | UInt64(facts.bits)
        }

        var time_ms: Int64 { Int64(packed >> 16) }
        var facts: Facts { Facts(bits: UInt16(truncatingIfNeeded: packed & (Self.movedOn - 1))) }
        /// The id is in a later place of the ring with newer facts; this entry only keeps its place.
        var hasMovedOn: Bool { packed & Self.movedOn != 0 }

        mutating func moveOn() { packed |= Self.movedOn }

        /// The entry of an id that is not remembered any more.
        static let forgotten = Entry(key: 0, saved: movedOn)

        /// The saved form. Later entries show whether the id moved on, so that bit is not saved.
        var saved: UInt64 { packed & ~Self.movedOn }

        init(key: UInt64, saved: UInt64) {
            self.key = key
            packed = saved
        }
    }

    private static let smallest = 16

    /// The bits of a slot of the hash table that hold a place in the ring plus 1. The other ones, 7 at least, hold bits
    /// of the key: a search that meets other keys then seldom has to read the ring, which is not in the cache.
    private let place_mask: UInt32

    let limit: Int
    private let detail: Detail
    private var ring: [Entry] = []
    /// The end of each id, by place in the ring, in Unix seconds; 0 if it is unknown.
    private var ends: [UInt32] = []
    /// The packed version of each id at its end, by place in the ring; 0 for none.
    private var versions: [UInt64] = []
    private var head = 0
    /// The number of used places in the ring, including those of ids that have moved on.
    private var length = 0
    /// The number of remembered ids.
    private(set) var count = 0
    /// 0 for a free slot, else a place in the ring plus 1, and above it the highest bits of the key.
    private var index: [UInt32] = []
    /// The number of ids that were forgotten early because the limit was reached.
    private(set) var forgotten = 0
    /// The number of the next place. Places are numbered from 0 in the order in which ids are remembered.
    private(set) var next: UInt64 = 0
    /// The number of the first place that has not been saved.
    private var unsaved: UInt64 = 0

    init(limit: Int, keeping detail: Detail = .none) {
        precondition(limit > 0 && limit <= Limits.mostRemembered, "places must fit beside the key")
        self.limit = limit
        // The ring has the next power of two.
        let places_bits = Int.bitWidth - (max(limit, Self.smallest) - 1).leadingZeroBitCount
        place_mask = 1 << UInt32(places_bits + 1) - 1
        self.detail = detail
    }

    /// The memory that it has taken for ids.
    var size_bytes: Int { ring.capacity * 16 + index.capacity * 4 + ends.capacity * 4 + versions.capacity * 8 }

    /// The facts of an id; nil if it is not remembered.
    subscript(id: Fingerprint) -> Facts? {
        guard count > 0, let probe = probe(of: id.bits) else { return nil }
        return ring[place(at: probe)].facts
    }

    /// The end of an id's last life; nil if it is not remembered. If the time of the end was not kept, the time at
    /// which the id was remembered counts.
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

    /// Remembers an id from `time` on. Returns false, and changes nothing, if it is remembered already.
    mutating func insert(_ id: Fingerprint, at time: Timestamp) -> Bool {
        if count > 0, probe(of: id.bits) != nil { return false }
        add(id, .none, at: time)
        return true
    }

    /// Remembers an id from `time` on. If it is remembered already, its time changes only if the facts are new, so that
    /// repetitions cannot keep it for ever.
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

    /// Remembers an id with this ending, in place of the previous one. Changes nothing if both are equal.
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

    /// Forgets all ids that were remembered at `time` or earlier.
    mutating func expire(upTo time: Timestamp) {
        while length > 0, ring[head].time_ms <= time.milliseconds { forgetOldest() }
        if ring.count > Self.smallest && length < ring.count / 8 { resize(to: ring.count / 4) }
    }

    // MARK: Saving

    /// The number of the oldest used place.
    var first: UInt64 { next - UInt64(length) }

    /// Returns the places that were used since the last call, at most `most` at a time; nil if there are none.
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

    /// Makes `takeUnsaved` begin with the oldest place again.
    mutating func saveAgain() { unsaved = 0 }

    /// Restores saved ids. Runs come in the order of their numbers. Numbers outside of `first..<next` are left out, and
    /// the oldest ones where the limit was larger when they were saved. Numbers that are in no run belong to ids that are
    /// not remembered any more.
    ///
    /// - Returns: the number of missing numbers.
    mutating func restore(_ runs: [IDRun], first: UInt64, next end: UInt64) throws(MessageFault) -> Int {
        guard first <= end, end < 1 << 62, end - first <= UInt64(Limits.mostRemembered) else {
            throw MessageFault("more ids than are remembered")
        }
        var missing = 0
        next = max(first, end > UInt64(limit) ? end - UInt64(limit) : 0)
        forgotten += Int(next - first)
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

    /// Fills the places up to a number with entries of forgotten ids.
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
        // An id that occurs again in a later place has moved there.
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

    /// Returns the slot of the hash table with this key; nil if there is none.
    private func probe(of key: UInt64) -> Int? {
        let mask = index.count - 1
        var probe = Int(truncatingIfNeeded: key) & mask
        let tag = tag(of: key)
        while index[probe] != 0 {
            if index[probe] & ~place_mask == tag && ring[place(at: probe)].key == key { return probe }
            probe = (probe + 1) & mask
        }
        return nil
    }

    private mutating func link(_ place: Int) {
        let mask = index.count - 1
        var probe = Int(truncatingIfNeeded: ring[place].key) & mask
        while index[probe] != 0 { probe = (probe + 1) & mask }
        index[probe] = UInt32(place + 1) | tag(of: ring[place].key)
    }

    /// Returns the highest bits of a key, at their position in a slot. The lowest bits decide which slot the key is in.
    private func tag(of key: UInt64) -> UInt32 { UInt32(key >> 32) & ~place_mask }

    /// Returns the place in the ring that a used slot refers to.
    private func place(at probe: Int) -> Int { Int(index[probe] & place_mask) - 1 }

    private mutating func forgetOldest() {
        if !ring[head].hasMovedOn, let probe = probe(of: ring[head].key) {
            unlink(probe)
            count -= 1
        }
        head = (head + 1) & (ring.count - 1)
        length -= 1
    }

    /// Frees a slot of the hash table and closes the gap, so that no search stops early.
    private mutating func unlink(_ probe: Int) {
        let mask = index.count - 1
        var gap = probe
        var next = (gap + 1) & mask
        while index[next] != 0 {
            let home = Int(truncatingIfNeeded: ring[place(at: next)].key) & mask
            // The entry may move into the gap if its home slot is not between the gap and its present slot.
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

    /// Returns the used part of a ring of this size, moved to its beginning, with vacant places behind it.
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
