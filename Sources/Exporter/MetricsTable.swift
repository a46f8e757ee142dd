import Metrics
import Platform
import Recording

/// The metrics as the README lists them.
package enum MetricsTable {
    /// A table in Markdown: every metric that a lkpush that pushes can have, sorted by name.
    package static var text: String {
        let registry = Registry(maxSeries: 1_000_000)
        declareAll(in: registry)
        let organization = ["project", "region", "org_id"]
        let rows = registry.descriptors.map { family in
            var labels = family.labelNames
            if labels.starts(with: organization) { labels.replaceSubrange(0..<3, with: ["P"]) }
            return "| `\(family.name)` | \(family.kind.name) | \(labels.joined(separator: " ")) | \(family.help) |"
        }
        return (["| name | type | labels | |", "|---|---|---|---|"] + rows).joined(separator: "\n")
    }
}
