import LiveKit
import Wire

/// The counts of an entity that is not open any more, and the flags that decide about another life, in 15 bits.
///
/// For a job the upper 12 bits hold attempts. For all others they decide whether the entity may live again.
struct Facts: Sendable, Equatable {
    private(set) var bits: UInt16

    static let none = Facts(bits: 0)

    init(bits: UInt16) { self.bits = bits }

    init(isStartCounted: Bool = false, isEndCounted: Bool = false, isClosed: Bool = false) {
        bits = 0
        self.isStartCounted = isStartCounted
        self.isEndCounted = isEndCounted
        self.isClosed = isClosed
    }

    /// The entity's start has been counted.
    var isStartCounted: Bool {
        get { bits & 1 != 0 }
        set { bits = newValue ? bits | 1 : bits & ~1 }
    }

    /// The entity's end has been counted.
    var isEndCounted: Bool {
        get { bits & 2 != 0 }
        set { bits = newValue ? bits | 2 : bits & ~2 }
    }

    /// The entity must not be opened again.
    var isClosed: Bool {
        get { bits & 4 != 0 }
        set { bits = newValue ? bits | 4 : bits & ~4 }
    }

    // MARK: Rooms, participants and tracks

    /// Only the end of its room, or the silence of its room, has closed it. Its own next event adopts it again.
    var mayReturn: Bool {
        get { bits & 8 != 0 }
        set { bits = newValue ? bits | 8 : bits & ~8 }
    }

    /// It never lives again, whatever begins later, because its room's name has a newer SID.
    var isGivenUp: Bool {
        get { bits & 16 != 0 }
        set { bits = newValue ? bits | 16 : bits & ~16 }
    }

    /// The kind of a participant that may return, because its next event may not tell it.
    var kind: Participant.Kind {
        get { Participant.Kind.inStoredOrder[Int(bits &>> 5 & 7)] }
        set {
            let place = Participant.Kind.inStoredOrder.firstIndex(of: newValue) ?? 0
            bits = bits & ~(7 << 5) | UInt16(place) << 5
        }
    }

    // MARK: Attempts of a job that is retried

    /// The highest attempt of a job that is told apart from others.
    static let lastAttempt = 62

    /// The number of the latest attempt whose start was counted; -1 for none.
    var startedAttempt: Int {
        get { Int(bits &>> 3 & 0x3F) - 1 }
        set { bits = bits & ~(0x3F << 3) | UInt16(truncatingIfNeeded: newValue + 1) << 3 }
    }

    /// The number of the latest attempt whose end was counted; -1 for none.
    var endedAttempt: Int {
        get { Int(bits &>> 9 & 0x3F) - 1 }
        set { bits = bits & ~(0x3F << 9) | UInt16(truncatingIfNeeded: newValue + 1) << 9 }
    }

    /// Returns the union of both counts of the same entity.
    func union(_ other: Facts) -> Facts {
        var both = Facts(bits: (bits | other.bits) & 7)
        both.startedAttempt = max(startedAttempt, other.startedAttempt)
        both.endedAttempt = max(endedAttempt, other.endedAttempt)
        return both
    }
}
