/// Every bound of the store, each with its reason.
package enum Limits {
    /// Rows of `room_presence` that are read at a start without state: twice the people of the largest office that is
    /// promised; about 200 bytes each.
    package static let openPresence = 100_000
    /// How much of each text of a refused row is kept for people: with six texts and 10,000 rows at most 60 MB of disk.
    package static let deadLetterText_bytes = 1_024
}
