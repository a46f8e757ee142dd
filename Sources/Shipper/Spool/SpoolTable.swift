/// The tables of a spool whose rows have integer keys.
enum SpoolTable: String, CaseIterable {
    case series
    case blocks
    case batches

    /// The name of the key.
    var key: String { self == .series ? "first_row" : "number" }
}
