package import Recording

/// The recorder, as the poller sees it. Any thread may call it. Answers come on the recorder's thread, in order.
package protocol PolledRecorder: Sendable {
    /// Compares the lists of a poll with the state of the moment.
    func compare(_ listing: Listing, answer: @escaping @Sendable (Comparison) -> Void)

    /// Compares the members of rooms with the state of the moment. Rooms that are not open are left out.
    func compare(_ members: [RoomMembers], answer: @escaping @Sendable ([RoomComparison]) -> Void)

    /// Takes the result of a poll as an input. The recorder leaves alone what had an event meanwhile.
    func take(_ result: PollResult)
}
