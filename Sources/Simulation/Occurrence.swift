package import Wire

/// Something that happens in the office. Occurrences come in order of time.
package enum Occurrence: Sendable {
    case webhook(SimulatedWebhook)
    case crash(Crash)

    /// A server dies: everybody vanishes from a room at once. No webhook tells it before the room starts again on
    /// another server.
    package struct Crash: Sendable {
        package let at: Timestamp
        package let organization: String
        /// The name of the room.
        package let room: String
        /// The SIDs of the participants who vanish.
        package let participants: [String]
        /// The SIDs of their tracks.
        package let tracks: [String]
    }

    /// The time at which it happens, on the office's clock.
    package var at: Timestamp {
        switch self {
        case .webhook(let webhook): webhook.at
        case .crash(let crash): crash.at
        }
    }
}
