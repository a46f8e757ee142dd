/// The reservations that events take: from before their commit until the recorder has taken them.
package protocol EventReservations: Sendable {
    /// Gives back the reservations of `count` events, which the recorder has taken or which were refused. Any thread may call it.
    func free(_ count: Int)
}
