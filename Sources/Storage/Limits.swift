/// The bounds of the store, each with its reason.
package enum Limits {
    /// The most rows of `room_presence` that are read at a start without state: twice the people of the largest
    /// supported LiveKit deployment, about 200 bytes each.
    package static let openPresence = 100_000
    /// The most bytes of each text of a dead letter: with six texts and 10,000 rows at most 60 MB of disk.
    package static let deadLetterText_bytes = 1_024
}
