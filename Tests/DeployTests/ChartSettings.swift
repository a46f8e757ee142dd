import Exporter
import Foundation
import TestSupport

/// The settings in `values.schema.json`: one line for each. The program writes them, so that a name that it does not know
/// is an error of `helm`.
struct ChartSettings {
    /// Settings that other values of the chart stand for.
    static let others: Set = [
        "ENVIRONMENT", "REGION", "INSTANCE", "LISTEN", "METRICS_LISTEN", "STATE_DIR", "SHUTDOWN_TIMEOUT",
        "GRAFANA_PROM_REMOTE_WRITE_URL", "GRAFANA_PROM_USERNAME", "REMOTE_WRITE_DESTINATIONS", "LIVEKIT_KEYS_FILE",
        "JOURNAL_NAME",
    ]

    private static let path = Repository.root + "/deploy/helm/lkpush/values.schema.json"
    private var text: String

    init() throws { text = try String(contentsOfFile: Self.path, encoding: .utf8) }

    /// The schema has no such part.
    struct Missing: Error {}

    /// The names of all secrets, with `<NAME>` where that of a destination stands.
    static var secrets: [String] { Deployed.rows.filter(\.isSecret).map(\.name) }

    /// The lines that the schema must have.
    static var expected: String {
        let lines = Deployed.rows.filter { !$0.isSecret && !$0.isPattern && !others.contains($0.name) }.map { row in
            let standard = row.standard.isEmpty || row.help.contains("Default") ? "" : " Default \(row.standard)."
            let description = quoted(row.help + standard)
            return ##"        "\##(row.name)": { "$ref": "#/$defs/setting", "description": \##(description) }"##
        }
        return lines.joined(separator: ",\n") + "\n"
    }

    /// The lines that the schema has. If they are to be rewritten, they are `expected` afterwards.
    func lines(expected: String) throws -> String {
        guard let config = text.range(of: "\n    \"config\": {"),
            let start = text.range(of: "\n      \"properties\": {\n", range: config.upperBound..<text.endIndex),
            let end = text.range(of: "      }\n", range: start.upperBound..<text.endIndex)
        else { throw Missing() }
        let found = String(text[start.upperBound..<end.lowerBound])
        guard ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1", found != expected else { return found }
        let changed = text.replacingCharacters(in: start.upperBound..<end.lowerBound, with: expected)
        try changed.write(toFile: Self.path, atomically: true, encoding: .utf8)
        return expected
    }

    /// The pattern that the names in a Secret must match.
    var secretPattern: String {
        get throws {
            let schema = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            let definitions = schema?["$defs"] as? [String: [String: Any]]
            guard let pattern = definitions?["secretName"]?["pattern"] as? String else { throw Missing() }
            return pattern
        }
    }

    private static func quoted(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\""
    }
}
