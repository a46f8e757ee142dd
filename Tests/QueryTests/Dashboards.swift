import Foundation
import TestSupport
import Testing

/// The queries of the dashboards that Grafana gets: `deploy/grafana/*.json`.
struct Dashboards {
    struct Query: CustomStringConvertible {
        let dashboard: String
        let panel: String
        let reference: String
        let expression: String

        var description: String { "\(dashboard) / \(panel) / \(reference)" }
    }

    private(set) var queries: [Query] = []

    init() throws {
        let folder = Repository.root + "/deploy/grafana/"
        for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where file.hasSuffix(".json") {
            let data = try Data(contentsOf: URL(filePath: folder + file))
            let dashboard = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
            read(dashboard["panels"], of: String(file.dropLast(5)))
        }
    }

    private mutating func read(_ panels: Any?, of dashboard: String) {
        for panel in panels as? [[String: Any]] ?? [] {
            let title = panel["title"] as? String ?? ""
            for target in panel["targets"] as? [[String: Any]] ?? [] {
                guard var expression = target["expr"] as? String else { continue }
                if let step = target["interval"] as? String {
                    // As over a time so short that the smallest step is the step.
                    expression = expression.replacing("$__interval", with: step)
                }
                queries.append(
                    Query(
                        dashboard: dashboard, panel: title, reference: target["refId"] as? String ?? "",
                        expression: expression))
            }
            read(panel["panels"], of: dashboard)
        }
    }
}
