/// The slots that events take: from before their commit until the recorder has taken them.
package protocol EventSlots: Sendable {
    /// Gives back the slots of `count` events, which the recorder has taken or which were refused. Any thread may call it.
    func free(_ count: Int)
}
