package import Journal

/// Who the journal thread hands committed events to: the recorder's inbox. Its calls never wait.
package protocol CommittedEventReceiver: Sendable {
    /// Takes events in the order of their commits. Room for them was reserved before.
    func deliver(_ events: Committed<[AcceptedEvent]>)

    /// Asks for a snapshot of the state.
    ///
    /// - Parameters:
    ///   - isForced: it is wanted even where nothing has changed since the last one.
    ///   - withAllIDs: it has all remembered ids in it, not only those since the last snapshot.
    func requestSnapshot(isForced: Bool, withAllIDs: Bool)

    /// No event follows.
    func close()
}
