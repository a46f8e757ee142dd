package import Wire

/// Takes removals of sessions that the recorder found replaced. Its calls never wait.
package protocol SessionRemovals: Sendable {
    /// Has the participant with this identity removed from the room of this name, but not later than `limit`.
    func remove(room: String, identity: String, until limit: Timestamp)

    /// Withdraws the removal, because the session has ended. A removal that is done already stays done.
    func withdraw(room: String, identity: String)
}
