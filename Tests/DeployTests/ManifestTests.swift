import Exporter
import Foundation
import Platform
import TestSupport
import Testing

/// What `deploy/kubernetes` and `deploy/helm` make for a cluster. One after another, because they wait for one report.
@Suite(
    .serialized,
    .enabled(if: ManifestReport.isWanted, "set LKPUSH_TEST_KUBERNETES to the folder that Tests/Deploy/tools.py makes"))
enum KubernetesTests {}

extension KubernetesTests {
    /// The overlays of `deploy/kubernetes`.
    @Suite struct ManifestTests {
        private let report: ManifestReport

        init() throws { report = try ManifestReport.read() }

        @Test func `each overlay is valid for old and new clusters, and its parts fit together`() {
            #expect(report.problems["overlays"] == [])
        }

        @Test func `the check finds every kind of mistake`() {
            #expect(report.problems["mistakes"] == [])
            #expect(report.counts.mistakes > 20)
        }

        @Test func `an overlay that is not filled in asks for what is missing`() throws {
            let folder = TemporaryFolder()
            for overlay in report.unfilled {
                let problems = try overlay.read(in: folder).problems
                let asked = Set(problems.map { String($0.prefix { $0 != ":" }) })
                let missing: Set = [
                    "ENVIRONMENT", "REGION", "GRAFANA_PROM_REMOTE_WRITE_URL",
                    "GRAFANA_PROM_USERNAME and GRAFANA_API_KEY",
                ]
                let expected = overlay.names == ["scraped"] ? [] : missing
                #expect(asked == expected, "\(overlay.names): \(problems)")
            }
            #expect(report.unfilled.count == 5)
        }

        @Test func `what a cluster asks for is served`() throws {
            let folder = TemporaryFolder()
            let overlay = try #require(report.environments.first { $0.names.contains("the overlay scraped") })
            var variables = overlay.variables.filter { !$0.key.hasSuffix("_FILE") }
            variables.merge([
                "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret", "STATE_DIR": folder.path,
                "LISTEN": "127.0.0.1:0", "METRICS_LISTEN": "127.0.0.1:0",
            ]) { $1 }
            var reader = SettingsReader(variables)
            let service = try Service(Settings(&reader), log: Log(level: .error, format: .text))
            try service.start()
            defer { _ = service.stop() }
            let addresses = ["LISTEN": "\(service.publicAddress)", "METRICS_LISTEN": "\(service.metricsAddress)"]
            #expect(report.requests.count == 4)
            for request in report.requests {
                let words = request.split(separator: " ").map(String.init)
                let port = try #require(addresses[words[0]]?.split(separator: ":").last.flatMap { UInt16($0) })
                let reply = try #require(try RawHTTP(port: port).ask(words[1], words[2]))
                // A webhook without a signature is refused, and not as an unknown path.
                #expect(reply.status == (words[1] == "POST" ? 401 : 200), "\(request): \(reply.text)")
            }
        }

        @Test func `manifests and chart run the image of this version`() throws {
            let chart = try Self.text("deploy/helm/lkpush/Chart.yaml")
            #expect(chart.contains("\nversion: \(Version.number)\n"))
            #expect(chart.contains("\nappVersion: \"\(Version.number)\"\n"))
            let files = [
                "deploy/kubernetes/base/workload.yaml", "deploy/kubernetes/README.md", "deploy/helm/lkpush/README.md",
                "Sources/lkpush/Documentation.docc/Installing.md",
            ]
            for file in files {
                let images = try Self.text(file).matches(of: #/lkpush:[0-9.]+[0-9]/#).map { String($0.output) }
                #expect(Set(images) == ["lkpush:\(Version.number)"], "\(file)")
            }
        }

        @Test func `the articles tell of this version`() throws {
            let articles = "Sources/lkpush/Documentation.docc/"
            let changes = try Self.text(articles + "Changes.md")
            #expect(changes.contains("\nThe newest version is \(Version.number). "))
            #expect(changes.contains("\n* \(Version.number) and the versions before start with each other's"))
            #expect(try Self.text(articles + "Status.md").contains("\n lkpush \(Version.number)  "))
        }

        private static func text(_ file: String) throws -> String {
            try String(contentsOfFile: Repository.root + "/" + file, encoding: .utf8)
        }
    }
}
