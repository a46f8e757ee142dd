package import Storage

/// An answer of the store thread to the recorder.
package enum StoreAnswer: Sendable, Equatable {
    /// The organization of a room, or why none was found.
    case organization(room: String, Result<Organization, LookupError>)
    /// A report on all organizations.
    case report(Report)
    /// The presence, as the database remembers it. It is asked for where there is no state.
    case presence([OpenPresence])
}
