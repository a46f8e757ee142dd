import Exporter
import Foundation
import Metrics
import Platform
import TestSupport
import Testing

/// What a reader of the rules counts on: names, sizes, annotations, the runbook and the tests.
@Suite(.enabled(if: RuleFiles.isWanted, "set LKPUSH_TEST_PYTHON to a Python with PyYAML and promql-parser"))
struct RuleTests {
    private static let articles = Repository.root + "/Sources/lkpush/Documentation.docc/"
    private let files: RuleFiles

    init() throws { files = try RuleFiles.read() }

    @Test func `no group has more than 20 rules, which is what Grafana Cloud takes`() {
        let groups = Dictionary(grouping: files.rules, by: \.group)
        #expect(
            Set(groups.keys) == [
                "lkpush-usage", "lkpush-business-hours", "lkpush-livekit", "lkpush-push", "lkpush-server",
                "lkpush-replicas",
            ])
        for (name, rules) in groups { #expect(rules.count <= 20, "\(name)") }
        #expect(Set(files.alerts.map(\.name)).count == files.alerts.count, "two alerts have one name")
    }

    @Test func `every alert has a severity, a summary, a first step and a section of the runbook`() {
        for alert in files.alerts {
            #expect(["critical", "warning", "info"].contains(alert.labels["severity"]), "\(alert.name)")
            #expect(alert.labels.count == 1, "\(alert.name): a label more may make it flap")
            #expect(alert.annotations.keys.sorted() == ["description", "runbook_url", "summary"], "\(alert.name)")
            #expect(alert.annotations["summary"]?.contains("{{") == false, "\(alert.name): a summary is a constant")
            let parts = alert.annotations["description"]?.components(separatedBy: " First: ") ?? []
            #expect(
                parts.count == 2 && parts[1].hasSuffix(".") || parts.last?.hasSuffix("{{ end }}") == true,
                "\(alert.name)")
            #expect(
                alert.annotations["runbook_url"]
                    == "Sources/lkpush/Documentation.docc/Runbook.md#" + alert.name.lowercased())
        }
    }

    @Test func `the runbook has a section for each alert, with a first step, and no other`() throws {
        let text = try String(contentsOfFile: Self.articles + "Runbook.md", encoding: .utf8)
        let sections = text.components(separatedBy: "\n## ").dropFirst().filter { !$0.hasPrefix("Overview\n") }
        let names = sections.map { String($0.prefix { $0 != "\n" }) }
        #expect(names == files.alerts.map(\.name), "the order is that of the alerts")
        for section in sections {
            for part in ["\n1. ", "\n2. ", "\n**Over:** "] {
                #expect(section.contains(part), "\(section.prefix(40)) lacks \(part)")
            }
        }
    }

    @Test func `the article about alerts lists each of them with its severity`() throws {
        let text = try String(contentsOfFile: Self.articles + "Alerts.md", encoding: .utf8)
        for alert in files.alerts {
            let row = "| [\(alert.name)](doc:Runbook#\(alert.name)) | \(alert.labels["severity"] ?? "") |"
            #expect(text.contains(row), "\(row)")
        }
        #expect(text.components(separatedBy: "](doc:Runbook#").count - 1 == files.alerts.count)
    }

    @Test func `every alert is tested when it fires and when it does not`() {
        for alert in files.alerts {
            for fires in [true, false] {
                #expect(
                    files.alertTests.contains { $0.alert == alert.name && $0.fires == fires },
                    "no test of \(alert.name) when it \(fires ? "fires" : "does not fire")")
            }
        }
        let names = Set(files.alerts.map(\.name))
        for test in files.alertTests {
            #expect(names.contains(test.alert), "a test of \(test.alert), which is no alert")
        }
    }

    // MARK: What the program has

    @Test func `every metric, label and label value of a rule exists`() throws {
        let (families, values) = try Self.running()
        let specification = try String(contentsOfFile: Self.articles + "Specification.md", encoding: .utf8)
        let words = Set(specification.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init))
        let recorded = Set(files.rules.filter { !$0.isAlert }.map(\.name))
        #expect(files.rules.flatMap(\.selectors).count > 60)
        for rule in files.rules {
            for selector in rule.selectors where !recorded.contains(selector.metric) {
                let family = families.first { Self.series(of: $0).contains(selector.metric) }
                guard let family else {
                    Issue.record("\(rule.name) reads \(selector.metric), which no lkpush has")
                    continue
                }
                for condition in selector.conditions {
                    #expect(
                        family.labelNames.contains(condition.label),
                        "\(rule.name): \(selector.metric) \(condition.label)")
                    // A status code is a word of nobody.
                    for value in condition.values ?? [] where condition.label != "code" {
                        #expect(
                            words.contains(value) || values[selector.metric]?.contains(value) == true,
                            "\(rule.name): \(selector.metric) \(condition.label)=\(value)")
                    }
                }
            }
        }
    }

    private static func series(of family: FamilyDescriptor) -> [String] {
        guard case .histogram = family.kind else { return [family.name] }
        return ["_bucket", "_sum", "_count"].map { family.name + $0 }
    }

    /// The families of a lkpush that runs, and the label values of the series that it has from its start.
    private static func running() throws -> ([FamilyDescriptor], [String: Set<String>]) {
        let folder = TemporaryFolder()
        var reader = SettingsReader(environment(folder))
        let settings = Settings(&reader)
        try #require(reader.problems.isEmpty, "\(reader.problems)")
        let service = try Service(settings, log: Log(level: .error, format: .text))
        try service.start()
        defer { _ = service.stop() }
        var values: [String: Set<String>] = [:]
        for (family, series) in service.registry.snapshot() {
            values[family.name] = Set(series.flatMap(\.labelValues))
        }
        // What is polled begins to have series with the first poll.
        return (try DeclaredFamilies.ofAnySetup(settings, log: Log(level: .error, format: .text)), values)
    }

    /// Settings with which the program has all its metrics. Nobody listens on the port of the receiver.
    private static func environment(_ folder: TemporaryFolder) -> [String: String] {
        [
            "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret", "STATE_DIR": folder.path, "REGION": "eu",
            "ENVIRONMENT": "test", "LISTEN": "127.0.0.1:0",
            "METRICS_LISTEN": "127.0.0.1:0", "SHUTDOWN_TIMEOUT": "1s",
            "GRAFANA_PROM_REMOTE_WRITE_URL": "http://127.0.0.1:1/write",
            "SINGLE_SESSION": "true", "LIVEKIT_URL": "ws://127.0.0.1:1",
        ]
    }
}
