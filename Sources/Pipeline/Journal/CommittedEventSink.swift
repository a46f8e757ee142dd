package import Journal

/// The receiver of committed events: the recorder's inbox. Its calls never wait.
package protocol CommittedEventSink: Sendable {
    /// Takes events in the order of their commits. Room for them was reserved before.
    func deliver(_ events: Committed<[AcceptedEvent]>)

    /// Asks for a snapshot of the state.
    ///
    /// - Parameters:
    ///   - isForced: the snapshot is wanted even where nothing has changed since the last one.
    ///   - withAllIDs: the snapshot has all remembered ids, not only those since the last one.
    func requestSnapshot(isForced: Bool, withAllIDs: Bool)

    /// Notes that no event follows.
    func close()
}
