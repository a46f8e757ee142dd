import Storage

/// The form for spreadsheets and billing systems: RFC 4180, in a long form whose header never changes.
extension UsageReport {
    /// A line for each organization and usage, with the header first. Cells that have no meaning for a usage are empty.
    package var csv: String {
        var csv = CSVText()
        csv.add(["month", "org_id", "org_name", "usage", "seconds", "count", "billed_minutes", "bytes"])
        for organization in organizations {
            func add(_ usage: String, seconds: Int64?, count: Int64?, billed: Int64? = nil, bytes: Int64? = nil) {
                csv.add([
                    month.description, organization.id, organization.name, usage, seconds.map(Self.seconds) ?? "",
                    count.map { String($0) } ?? "", billed.map { String($0) } ?? "", bytes.map { String($0) } ?? "",
                ])
            }
            for use in organization.uses {
                let billed = use.usage.hasPrefix("connection:") ? use.amount.billed_minutes : nil
                add(use.usage, seconds: use.amount.duration_ms, count: use.amount.count, billed: billed)
            }
            let recordings = organization.recordings
            add(
                "recording:completed", seconds: recordings.duration_ms, count: recordings.count,
                bytes: recordings.size_bytes)
            if let limit = organization.recordingLimit_minutes {
                add("recording:limit", seconds: Int64(exactly: (limit * 60_000).rounded()), count: nil)
            }
            add("people:unique", seconds: nil, count: organization.uniquePeople)
        }
        return csv.text
    }

    /// Seconds with three digits behind the point.
    static func seconds(_ milliseconds: Int64) -> String {
        let rest = String(milliseconds.magnitude % 1_000)
        let digits = String(repeating: "0", count: 3 - rest.count) + rest
        return "\(milliseconds < 0 ? "-" : "")\(milliseconds.magnitude / 1_000).\(digits)"
    }
}

/// Writes comma-separated values. https://www.rfc-editor.org/rfc/rfc4180
private struct CSVText {
    private(set) var text = ""

    mutating func add(_ cells: [String]) {
        text += cells.map(Self.cell).joined(separator: ",") + "\r\n"
    }

    private static func cell(_ value: String) -> String {
        let needsQuotes = value.utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
        return needsQuotes ? "\"\(value.replacing("\"", with: "\"\""))\"" : value
    }
}
