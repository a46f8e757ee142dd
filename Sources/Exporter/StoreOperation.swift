/// What the store does with the database; the raw value is the label value of `operation`.
package enum StoreOperation: String, Sendable, CaseIterable {
    case open, migrate, lookup, write
    /// The background jobs of SPEC 3.2.
    case licenses, activity, recordings, presence, purge

    static let jobs: [StoreOperation] = [.licenses, .activity, .recordings, .presence, .purge]
}
