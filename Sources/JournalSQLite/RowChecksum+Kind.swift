import SQLite

extension RowChecksum {
    /// The kind of a row of the journal. Its number is on disk and never changes.
    enum Kind: UInt8 {
        case events = 1
        case inputs = 2
        case outbox = 3
        case ids = 4
        case shipped = 5
        case meta = 6
        case deadLetter = 7
    }

    static func of(_ kind: Kind, number: Int64 = 0, count: Int64 = 0, _ bytes: Span<UInt8>) -> Int64 {
        of(kind: kind.rawValue, number: number, count: count, bytes)
    }
}
