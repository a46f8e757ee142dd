/// A table of lkpush's own without which the program works, only with less.
///
/// Where the role may neither make it nor use it, it is withheld: what it is for does not happen, and everything else
/// does.
package enum OptionalTable: Sendable, CaseIterable {
    /// `lkpush_outbox_positions`: where the last applied row of each journal stands among its inputs.
    case positions
    /// `lkpush_usage_daily`: the usage of each organization and day.
    case usage

    /// The name of the table.
    package var name: String { schema.name }

    /// The commands that lkpush runs on it.
    package var commands: [SQLCommand] {
        switch self {
        case .positions: SQLCommand.allCases
        case .usage: [.select, .insert, .update]
        }
    }

    /// The name of the migration that makes it.
    package var migration: String {
        guard let found = Migration.all.first(where: { $0.isOptional && $0.table == name }) else {
            preconditionFailure("each optional table has a migration")
        }
        return found.name
    }

    /// The columns that lkpush uses.
    var schema: Schema.Table {
        switch self {
        case .positions:
            Schema.Table(
                name: AppliedMark.table, columns: ["journal", "sequence", "input", "place", "starts", "applied_at"],
                isWritten: true)
        case .usage:
            Schema.Table(
                name: UsageRow.table,
                columns: ["organization_id", "usage_date", "usage", "seconds", "count", "billed_minutes"],
                isWritten: true)
        }
    }

    /// The columns whose values name one row: rows are added to by them.
    var key: [String] {
        switch self {
        case .positions: ["journal"]
        case .usage: UsageRow.key
        }
    }
}
