import Storage
import Wire

/// The form for programs: one JSON object. Names of fields never change; more may come.
extension UsageReport {
    package var json: String {
        var object = JSONFields()
        object.add("month", text: month.description)
        object.add("begins", text: CivilTime(month.begin).description)
        object.add("ends", text: CivilTime(month.end).description)
        object.add("is_over", madeAt >= month.end ? "true" : "false")
        object.add("made_at", text: CivilTime(madeAt).description)
        object.add("usage_since", text: firstUsageDay?.description)
        object.add("notes", "[\(notes.map(JSONFields.quoted).joined(separator: ","))]")
        let all = organizations.map { "\n\(Self.figures(of: $0))" }
        object.add("organizations", "[\(all.joined(separator: ","))\(all.isEmpty ? "" : "\n")]")
        object.add("total", Self.figures(ofTotal: total))
        return object.text + "\n"
    }

    private static func figures(of organization: MonthlyUsage.Organization) -> String {
        var object = JSONFields()
        object.add("org_id", text: organization.id)
        object.add("org_name", text: organization.name)
        object.add("organization_key", text: organization.key)
        addFigures(of: organization, to: &object)
        var recordings = fields(organization.recordings)
        recordings.add("limit_minutes", organization.recordingLimit_minutes.map(number) ?? "null")
        recordings.add("used_share", organization.usedLimit.map(number) ?? "null")
        object.add("recordings", recordings.text)
        object.add("usages", fields(organization.uses))
        return object.text
    }

    private static func figures(ofTotal total: MonthlyUsage.Organization) -> String {
        var object = JSONFields()
        addFigures(of: total, to: &object)
        object.add("recordings", fields(total.recordings).text)
        object.add("usages", fields(total.uses))
        return object.text
    }

    private static func addFigures(of organization: MonthlyUsage.Organization, to object: inout JSONFields) {
        object.add("unique_people", String(organization.uniquePeople))
        object.add("sessions", String(organization.sessions))
        object.add("connections", fields(organization.amount(of: "connection")))
    }

    private static func fields(_ uses: [MonthlyUsage.Use]) -> String {
        var object = JSONFields()
        for use in uses { object.add(use.usage, fields(use.amount)) }
        return object.text
    }

    private static func fields(_ amount: MonthlyUsage.Amount) -> String {
        var object = JSONFields()
        object.add("seconds", seconds(amount.duration_ms))
        object.add("count", String(amount.count))
        object.add("billed_minutes", String(amount.billed_minutes))
        return object.text
    }

    private static func fields(_ recordings: MonthlyUsage.Recordings) -> JSONFields {
        var object = JSONFields()
        object.add("count", String(recordings.count))
        object.add("seconds", seconds(recordings.duration_ms))
        object.add("bytes", String(recordings.size_bytes))
        return object
    }

    /// JSON cannot express a number that is not finite.
    private static func number(_ value: Double) -> String {
        Int64(exactly: value).map { String($0) } ?? (value.isFinite ? "\(value)" : "null")
    }
}

/// Writes one JSON object.
private struct JSONFields {
    private var bytes = Array("{".utf8)

    var text: String { String(decoding: bytes, as: UTF8.self) + "}" }

    /// - Parameter value: JSON.
    mutating func add(_ name: String, _ value: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: "\(Self.quoted(name)):\(value)".utf8)
    }

    mutating func add(_ name: String, text: String?) { add(name, text.map(Self.quoted) ?? "null") }

    static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        JSONText.append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
