/// The room that is reserved for events, from before their commit until the recorder has taken them.
package protocol EventRoom: Sendable {
    /// Gives back the room of `count` events, which the recorder has taken or which were refused. Any thread may call
    /// it.
    func free(_ count: Int)
}
