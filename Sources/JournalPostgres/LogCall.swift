import Postgres

/// A statement on the tables of a log. Its text is a constant, and the types of its values are always the same.
struct LogCall {
    let sql: String
    let values: [BinaryValue]

    init(_ sql: String, _ values: BinaryValue...) {
        self.sql = sql
        self.values = values
    }

    init(_ sql: String, _ values: [BinaryValue]) {
        self.sql = sql
        self.values = values
    }

    var isLarge: Bool {
        values.reduce(0) { $0 + $1.size_bytes } >= LogSettings.Limits.large_bytes
    }
}

extension BinaryValue {
    init(_ number: Int64?) { self = number.map { .integer($0) } ?? .null }
}
