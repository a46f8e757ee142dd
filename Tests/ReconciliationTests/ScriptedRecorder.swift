import LiveKit
import Platform
import Reconciliation
import Recording
import TestSupport

/// A recorder that says what a test wants it to say of the lists.
final class ScriptedRecorder: PolledRecorder {
    private struct State {
        var comparison: @Sendable (Listing) -> Comparison = { _ in Comparison() }
        var isSilent = false
        var listings: [Listing] = []
        var members: [RoomMembers] = []
        var results: [PollResult] = []
    }

    private let state = Monitor(State())

    init(_ comparison: @escaping @Sendable (Listing) -> Comparison = { _ in Comparison() }) {
        state.withLock { $0.comparison = comparison }
    }

    /// It never answers again.
    func fallSilent() { state.withLock { $0.isSilent = true } }

    var listings: [Listing] { state.withLock { $0.listings } }
    var members: [RoomMembers] { state.withLock { $0.members } }

    /// Waits for this many results.
    func results(_ count: Int) -> [PollResult] {
        state.wait(until: Waits.end) { $0.results.count >= count ? $0.results : nil } ?? []
    }

    func compare(_ listing: Listing, answer: @escaping @Sendable (Comparison) -> Void) {
        let comparison: (@Sendable (Listing) -> Comparison)? = state.change { state in
            state.listings.append(listing)
            return state.isSilent ? nil : state.comparison
        }
        if let comparison { answer(comparison(listing)) }
    }

    func compare(_ members: [RoomMembers], answer: @escaping @Sendable ([RoomComparison]) -> Void) {
        state.change { $0.members += members }
        answer(members.map { RoomComparison(room: $0.room) })
    }

    func take(_ result: PollResult) { state.change { $0.results.append(result) } }
}
