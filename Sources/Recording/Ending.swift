import LiveKit
import Wire

/// How the last life of a SID ended that is not open, or is open in a later life.
struct Ending: Equatable {
    /// What was counted of that life.
    var facts = Facts.none
    /// The `createdAt` of what ended it, in Unix seconds; 0 where nothing has.
    var at_s: Int64 = 0
    /// Of a track: the highest version that an event of that life told.
    var version: TrackVersion?

    /// Nothing is remembered.
    static let none = Ending()

    /// The same after an own end that found nothing open: that moves it forward, and nothing but it counts any more.
    func moved(to at_s: Int64) -> Ending {
        var ending = self
        ending.facts.isClosed = true
        ending.facts.mayReturn = false
        ending.at_s = max(self.at_s, at_s)
        return ending
    }

    /// This ending of a life where `earlier` was remembered: of the same life what both know, else this one.
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
