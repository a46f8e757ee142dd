package import LiveKit
package import Storage
package import Wire

/// Everything that can happen to the recorder. It knows no clock but the times in here, which are times of receipt.
package enum Input: Sendable, Equatable {
    /// A verified webhook.
    case event(Event, receivedAt: Timestamp)
    /// The answer to `Action.lookUp`. It may come late or never.
    case answer(room: String, Result<Organization, LookupError>, at: Timestamp)
    /// A report of the database about all organizations.
    case report(Report, at: Timestamp)
    /// Time has passed. It comes about once a second.
    case time(at: Timestamp)
    /// The participants who were connected when the database was last written, for a start without a saved state.
    case presence([OpenPresence], at: Timestamp)
    /// The differences that a poll of LiveKit's server API found.
    case poll(PollResult, at: Timestamp)
    /// The process stops. What it counted goes into rows, although more may be counted on the same day.
    case stopping(at: Timestamp)
    /// The wall clock was set: it is so far ahead of the times of receipt, or behind them if negative.
    case clock(ahead_ms: Int64, at: Timestamp)
}

/// The effects that the recorder asks for, in order.
package enum Action: Sendable, Equatable {
    /// Look up the organization of the room with this name in the database.
    case lookUp(room: String)
    /// Write this row to the database.
    case store(StoreRow)
    /// Have LiveKit remove the participant with this identity from the room of this name, but not later than `until`.
    /// It is asked for once per participant, and must not be done during a replay.
    case removeParticipant(room: String, identity: String, until: Timestamp)
    /// The participant that was to be removed is gone: a removal that has not been done yet must not be done any more.
    case withdrawRemoval(room: String, identity: String)
    /// An event of the room with this name was counted under `unknown`, for this reason, and the log may tell it. It
    /// comes with each such event when the event is applied, so that an event is told that waited in vain. During a
    /// replay it has been told before.
    case tellUnknown(room: String, LookupError)
}
