package import Storage

/// What the store thread tells the recorder.
package enum StoreAnswer: Sendable, Equatable {
    /// Whose room it is, or why nobody knows.
    case organization(room: String, Result<Organization, LookupError>)
    /// What the database says about all organizations.
    case report(Report)
    /// Who is in a room, as the database remembers it: asked for where there is no state.
    case presence([OpenPresence])
}
