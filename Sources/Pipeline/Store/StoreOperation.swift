/// What the store does with the database; the raw value is the label value of `operation`.
package enum StoreOperation: String, Sendable, CaseIterable {
    case open, migrate, lookup, write
    /// Asks who is in a room, once, where there is no state.
    case restore
    /// The background jobs of SPEC 3.2.
    case licenses, activity, recordings, presence, purge

    static let jobs: [StoreOperation] = [.licenses, .activity, .recordings, .presence, .purge]
}
