package import LiveKit
package import Storage
package import Wire

/// All that can happen to the recorder. It knows no other clock than the times in here.
package enum Input: Sendable, Equatable {
    /// A verified webhook.
    case event(Event, receivedAt: Timestamp)
    /// The answer to `Action.lookUp`; may be late, may never come.
    case answer(room: String, Result<Organization, LookupError>, at: Timestamp)
    /// What the database says about all organizations.
    case report(Report, at: Timestamp)
    /// Time has passed: about once a second.
    case time(at: Timestamp)
    /// Who was connected when the database was last written: where there is no other state to start from.
    case presence([OpenPresence], at: Timestamp)
}

/// What the recorder wants done, in order.
package enum Action: Sendable, Equatable {
    /// Ask the database for the organization of the room with this name.
    case lookUp(room: String)
    /// Write this to the database.
    case store(StoreRow)
    /// Have LiveKit remove whoever has this identity in the room of this name, but not later than `until`. Asked for once
    /// per participant; during a replay it must not be done.
    case removeParticipant(room: String, identity: String, until: Timestamp)
    /// The one that was to be removed is gone: where it has not been done yet, it must not be done any more.
    case withdrawRemoval(room: String, identity: String)
    /// An event of the room with this name counted under `unknown`, for this reason: somebody may want to know. Comes with
    /// each such event, and when the event is applied, so that a wait that ended is known too; during a replay it was told
    /// before.
    case tellUnknown(room: String, LookupError)
}
