/// The room that is reserved for events before they are committed, until the recorder has taken them.
package protocol EventRoom: Sendable {
    /// Gives back the room of `count` events: the recorder has taken them, or they were refused. Any thread.
    func free(_ count: Int)
}
