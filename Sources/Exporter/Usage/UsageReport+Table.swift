import Platform
import Storage

/// The form for people.
extension UsageReport {
    private enum Limits {
        /// The width of a column of ids or names. What is longer is cut, and is whole in the other forms.
        static let name_columns = 32
    }

    package var table: String {
        var lines = ["Usage in \(month.title) (UTC)", ""]
        if organizations.isEmpty {
            lines.append("Nothing was used.")
        } else {
            lines += summary
            for (title, uses) in breakdowns where !uses.isEmpty { lines += [""] + Self.lines(of: uses, titled: title) }
            lines += [
                "", "Minutes are those of all connections; billed, each connection is rounded up to whole minutes.",
                "Recorded are the minutes of completed recordings, Used is their part of the limit.",
                "Sessions are the connections of people that ended, People the users of them.",
            ]
        }
        if !notes.isEmpty { lines += [""] + notes.flatMap { CommandSyntax.wrapped($0, indent: 0) } }
        return lines.joined(separator: "\n") + "\n"
    }

    private var summary: [String] {
        var table = AlignedTable(
            [
                "Organization", "Name", "People", "Sessions", "Minutes", "Billed", "Recordings", "Recorded", "Limit",
                "Used",
                "Size",
            ], left: 2)
        for organization in organizations { table.add(Self.cells(organization)) }
        if organizations.count > 1 {
            var cells = Self.cells(total)
            cells[0] = "Total"
            table.add(cells)
        }
        return table.lines
    }

    private static func cells(_ organization: MonthlyUsage.Organization) -> [String] {
        let connections = organization.amount(of: "connection")
        let recordings = organization.recordings
        return [
            shown(organization.id), shown(organization.name), count(organization.uniquePeople),
            count(organization.sessions), minutes(connections.duration_ms), count(connections.billed_minutes),
            count(recordings.count), minutes(recordings.duration_ms),
            organization.recordingLimit_minutes.map {
                minutes(Int64(exactly: ($0 * 60_000).rounded()) ?? 0, exact: false)
            }
                ?? "-",
            organization.usedLimit.map { "\(Int64(exactly: ($0 * 100).rounded()) ?? 0)%" } ?? "-",
            UnitText.rough(ByteCount(Int(max(0, recordings.size_bytes)))),
        ]
    }

    /// The tables by use: of each organization that was asked for, or of all together.
    private var breakdowns: [(title: String, uses: [MonthlyUsage.Use])] {
        guard isSelected || organizations.count == 1 else { return [("All organizations", total.uses)] }
        return organizations.map { (Self.shown($0.id), $0.uses) }
    }

    private static func lines(of uses: [MonthlyUsage.Use], titled title: String) -> [String] {
        var table = AlignedTable([title, "Ended", "Minutes", "Billed"], left: 1)
        for use in uses {
            let isConnection = use.usage.hasPrefix("connection:")
            table.add([
                shown(use.usage), count(use.amount.count), minutes(use.amount.duration_ms),
                isConnection ? count(use.amount.billed_minutes) : "-",
            ])
        }
        return table.lines
    }

    private static func count(_ number: Int64) -> String { UnitText.grouped(Int(number)) }

    /// Minutes with one digit behind the point, rounded.
    ///
    /// - Parameter exact: false to leave the digit out where it is zero.
    private static func minutes(_ milliseconds: Int64, exact: Bool = true) -> String {
        let tenths = (milliseconds.magnitude + 3_000) / 6_000
        let whole = UnitText.grouped(Int(tenths / 10))
        let sign = milliseconds < 0 && tenths > 0 ? "-" : ""
        return !exact && tenths % 10 == 0 ? sign + whole : "\(sign)\(whole).\(tenths % 10)"
    }

    /// An id or a name on one line, and without what a terminal would obey.
    private static func shown(_ name: String) -> String {
        let line = String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
        let kept = line.excerpt(characters: Limits.name_columns)
        return kept.utf8.count < line.utf8.count && line.count > Limits.name_columns
            ? line.excerpt(characters: Limits.name_columns - 1) + "…" : kept
    }
}

/// Columns of text: the first ones begin at the left, the others end at the right, as numbers do.
private struct AlignedTable {
    private var rows: [[String]]
    private let left: Int

    init(_ header: [String], left: Int) {
        rows = [header]
        self.left = left
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    var lines: [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, text in
                let blank = String(repeating: " ", count: widths[column] - text.count)
                return column < left ? text + blank : blank + text
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
