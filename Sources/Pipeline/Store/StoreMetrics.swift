import Metrics
import Storage

/// The store's own metrics. Every series is there from the start, so that its first increment is seen.
struct StoreMetrics: Sendable {
    private let errors: Family<Counter>
    private let rows: Family<Counter>
    private let withheld: Family<Gauge>
    let waiting: Gauge?
    let up: Gauge?
    let unasked: Counter?

    init(in registry: Registry) {
        errors = registry.counter(
            "lkpush_database_errors_total", "Operations that the database failed.", labels: ["operation"])
        rows = registry.counter(
            "lkpush_database_rows_total", "Rows for the database by what became of them.", labels: ["result"])
        waiting = registry.gauge("lkpush_database_rows_waiting", "Rows that wait for the database.").series()
        withheld = registry.gauge(
            "lkpush_database_table_withheld", "Whether a table that lkpush can do without cannot be used.",
            labels: ["table"])
        up = registry.gauge("lkpush_database_up", "Whether the database is connected.").series()
        unasked =
            registry.counter(
                "lkpush_database_lookups_refused_total", "Lookups refused because too many were waiting."
            ).series()
        for operation in StoreOperation.allCases { _ = errors.series([operation.rawValue]) }
        for result in Result.allCases { _ = rows.series([result.rawValue]) }
        for table in OptionalTable.allCases { note(table, isWithheld: false) }
    }

    /// The fate of a row. A row that was dropped has the reason why its room has no organization.
    enum Result: String, CaseIterable {
        case written, refused, given_up, not_configured, room_not_found, no_organization, no_org_id, lookup_error

        init(_ reason: LookupError) {
            switch reason {
            case .not_configured: self = .not_configured
            case .room_not_found: self = .room_not_found
            case .no_organization: self = .no_organization
            case .no_org_id: self = .no_org_id
            case .lookup_error: self = .lookup_error
            }
        }
    }

    func failed(_ operation: StoreOperation) { errors.series([operation.rawValue])?.increment() }

    func note(_ table: OptionalTable, isWithheld: Bool) { withheld.series([table.name])?.set(isWithheld ? 1 : 0) }

    func count(_ result: Result, _ count: Int) {
        if count > 0 { rows.series([result.rawValue])?.increment(by: Double(count)) }
    }

    func count(_ outcome: WriteOutcome) {
        // A row that had been applied before was not counted then, because the answer was lost.
        count(.written, outcome.written + outcome.repeated)
        count(.refused, outcome.refused)
        for (reason, number) in outcome.dropped { count(Result(reason), number) }
    }
}
