package import Pipeline
import Reconciliation
package import Recording

/// The recorder answers the poller between events, on its own thread.
extension RecorderInbox: PolledRecorder {
    /// Asks the recorder to compare lists with its state.
    package func compare(_ listing: Listing, answer: @escaping @Sendable (Comparison) -> Void) {
        ask { answer($0.compare(listing)) }
    }

    /// Asks the recorder to compare the members of rooms with its state.
    package func compare(_ members: [RoomMembers], answer: @escaping @Sendable ([RoomComparison]) -> Void) {
        ask { recorder in
            var comparisons: [RoomComparison] = []
            for room in members {
                if let comparison = recorder.compare(room) { comparisons.append(comparison) }
            }
            answer(comparisons)
        }
    }

    /// Leaves the result of a poll to the recorder.
    package func take(_ result: PollResult) { leave(result) }
}
