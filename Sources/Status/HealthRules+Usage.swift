import Wire

// Rules about usage, which invoices are made from.

extension HealthRules {
    static func usageTable(_ document: StatusDocument) -> [Problem] {
        guard let usage = document.usage, usage.isTableWithheld else { return [] }
        return [
            Problem(
                "usage_table_withheld", .warning,
                what: "The table lkpush_usage_daily is missing, or the role may not use it.",
                cost: """
                    \(HealthText.count(usage.rowsWaiting)) rows of usage wait, and lkpush report lacks them. Metrics and the \
                    other tables are complete.
                    """,
                action: """
                    Run lkpush migrate with a role that may create it, or give the rights that lkpush check prints. No restart \
                    is needed.
                    """, alert: "LkpushUsageRowsWaiting")
        ]
    }

    static func usageLost(_ document: StatusDocument) -> [Problem] {
        guard let usage = document.usage, let at = usage.lastRowLost, document.now.since(at) < Limits.hour else {
            return []
        }
        return [
            Problem(
                "usage_lost", .critical,
                what: "Usage was given up: \(HealthText.count(usage.rowsLost)) rows since the start.",
                cost: "They are missing in lkpush_usage_daily, and so in lkpush report. Metrics are complete.",
                action: """
                    Run lkpush migrate with a role that may create the table, so that no more is lost. Make invoices of that \
                    time from the counters.
                    """, alert: "LkpushUsageRowsLost")
        ]
    }
}
