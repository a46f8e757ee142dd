package import Wire

/// Has sessions of people removed that the recorder found replaced. Its calls never wait.
package protocol SessionRemovals: Sendable {
    /// Has whoever has this identity in the room of this name removed, but not later than `limit`.
    func remove(room: String, identity: String, until limit: Timestamp)

    /// The session has ended: what has not been done yet is not done any more.
    func withdraw(room: String, identity: String)
}
