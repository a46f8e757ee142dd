/// An operation of the store on the database. The raw value is the label value of `operation`.
package enum StoreOperation: String, Sendable, CaseIterable {
    case open, migrate, lookup, write
    /// Asks for the presence, once, where there is no state.
    case restore
    /// The background jobs: Specification, *Background work*.
    case licenses, activity, recordings, presence, purge

    static let jobs: [StoreOperation] = [.licenses, .activity, .recordings, .presence, .purge]
}
