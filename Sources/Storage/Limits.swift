/// Every bound of the store, each with its reason.
package enum Limits {
    /// Rows of `room_presence` that are read at a start without state: twice the people of the largest office that is
    /// promised; about 200 bytes each.
    package static let openPresence = 100_000
}
