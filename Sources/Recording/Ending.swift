import LiveKit
import Wire

/// The remembered end of a SID's last life, if it has no open life or is open in a later one.
struct Ending: Equatable {
    /// The counts of that life.
    var facts = Facts.none
    /// The `createdAt` of the event that ended it, in Unix seconds; 0 if none has.
    var at_s: Int64 = 0
    /// For a track, the highest version in the events of that life.
    var version: TrackVersion?

    /// Nothing is remembered.
    static let none = Ending()

    /// Returns this ending after the SID's own end event found nothing open. The event moves the end forward, and from
    /// then on only this end counts.
    func moved(to at_s: Int64) -> Ending {
        var ending = self
        ending.facts.isClosed = true
        ending.facts.mayReturn = false
        ending.at_s = max(self.at_s, at_s)
        return ending
    }

    /// Returns this ending in place of the remembered one. If both belong to the same life the counts of both are kept,
    /// else those of this one.
    func following(_ earlier: Ending?) -> Ending {
        guard let earlier else { return self }
        var ending = self
        if earlier.facts.isClosed {
            ending.at_s = max(at_s, earlier.at_s)
        } else {
            ending.facts.isStartCounted = facts.isStartCounted || earlier.facts.isStartCounted
            ending.facts.isEndCounted = facts.isEndCounted || earlier.facts.isEndCounted
        }
        return ending
    }
}
