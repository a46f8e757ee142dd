package import Metrics

/// The metrics as the README lists them.
package enum MetricsTable {
    /// A table in Markdown of what a registry declares, sorted by name.
    package static func text(_ registry: Registry) -> String {
        let organization = ["project", "region", "org_id"]
        let rows = registry.descriptors.map { family in
            var labels = family.labelNames
            if labels.starts(with: organization) { labels.replaceSubrange(0..<3, with: ["P"]) }
            return "| `\(family.name)` | \(family.kind.name) | \(labels.joined(separator: " ")) | \(family.help) |"
        }
        return (["| name | type | labels | |", "|---|---|---|---|"] + rows).joined(separator: "\n")
    }
}
