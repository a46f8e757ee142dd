import Exporter
import Foundation
import TestSupport
import Testing

extension KubernetesTests {
    /// The chart in `deploy/helm/lkpush`.
    @Suite struct ChartTests {
        private let report: ManifestReport

        init() throws { report = try ManifestReport.read() }

        @Test func `the chart is valid in every combination of its switches`() {
            #expect(report.problems["chart"] == [])
            #expect(report.counts.renderings > 280)
            #expect(report.counts.documents > 80)
        }

        @Test func `the chart and the overlays make the same`() {
            #expect(report.problems["same"] == [])
        }

        @Test func `lkpush takes what the chart and the overlays give it, without a word`() throws {
            let folder = TemporaryFolder()
            for environment in report.environments {
                let reader = try environment.read(in: folder)
                #expect(reader.problems == [], "\(environment.names)")
                #expect(reader.warnings == [], "\(environment.names)")
            }
            #expect(report.environments.count > 10)
        }

        @Test func `values that are wrong end with a sentence that says so`() {
            #expect(report.problems["wrong"] == [])
            #expect(report.counts.wrong > 10)
        }

        @Test func `helm finds no fault, and says what comes next`() {
            #expect(report.problems["lint"] == [])
            #expect(report.problems["notes"] == [])
        }

        @Test func `the schema of the values has the settings that lkpush reads`() throws {
            let schema = try ChartSettings()
            let expected = ChartSettings.expected
            let found = try schema.lines(expected: expected)
            #expect(found == expected, "UPDATE_GOLDEN=1 rewrites values.schema.json")
            // What is no setting of `config` can be given otherwise.
            let given = Set(report.environments.flatMap(\.variables.keys))
            for name in ChartSettings.others { #expect(given.contains(name), "no value of the chart sets \(name)") }
        }

        @Test func `the schema of the values has the secrets that lkpush reads`() throws {
            let pattern = try Regex(ChartSettings().secretPattern)
            for name in ChartSettings.secrets + ["LIVEKIT_KEYS"] {
                let example = name.replacing("<NAME>", with: "EU")
                #expect(example.wholeMatch(of: pattern) != nil, "\(example)")
            }
            for row in Deployed.rows where !row.isSecret {
                #expect(row.name.wholeMatch(of: pattern) == nil, "\(row.name)")
            }
        }
    }
}
