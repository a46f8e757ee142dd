import Foundation
import Platform
import TestSupport
import Testing

/// The rules of `deploy/prometheus` and their tests, as PyYAML and promql-parser read them.
struct RuleFiles: Decodable {
    struct Rule: Decodable {
        let group: String
        /// The name of an alert, or of a recorded series.
        let name: String
        let isAlert: Bool
        let expression: String
        let labels: [String: String]
        let annotations: [String: String]
        let selectors: [Selector]
    }

    /// A metric that an expression reads, and the conditions for its labels.
    struct Selector: Decodable {
        let metric: String
        let conditions: [Condition]
    }

    struct Condition: Decodable {
        let label: String
        /// The values that are named; nil for a regular expression that is no list of values.
        let values: [String]?
    }

    /// A test of promtool: an alert at a time, and whether it fires.
    struct AlertTest: Decodable {
        let alert: String
        let fires: Bool
    }

    let rules: [Rule]
    let alertTests: [AlertTest]

    var alerts: [Rule] { rules.filter(\.isAlert) }

    static let folder = Repository.root + "/deploy/prometheus"
    static let files = ["lkpush-recording-rules.yaml", "lkpush-alerts.yaml"].map { folder + "/" + $0 }
    static let alternative = folder + "/alternatives/business-hours.yaml"

    static let promtool = "/usr/bin/promtool"
    static let python = ProcessInfo.processInfo.environment["LKPUSH_TEST_PYTHON"]
    static let isWanted = python != nil || ProcessInfo.processInfo.environment["CI"] == "true"

    /// The tests of promtool, all files of the folder.
    static func tests() throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/tests")
        return names.filter { $0.hasSuffix(".yaml") }.sorted()
    }

    /// Reads all of them, and the alternative.
    static func read() throws -> RuleFiles {
        let python = try #require(python, "LKPUSH_TEST_PYTHON must name a Python with PyYAML and promql-parser")
        let work = TemporaryFolder()
        try Data(program.utf8).write(to: URL(filePath: work.file("read.py")))
        let tests = try tests().map { folder + "/tests/" + $0 }
        let result = ChildProcess.run(python, [work.file("read.py")] + files + [alternative, "--"] + tests)
        try #require(result.status == 0, "\(result.output)")
        return try JSONDecoder().decode(RuleFiles.self, from: Data(result.output.utf8))
    }

    private static let program = """
        import json, re, sys
        import promql_parser, yaml
        from promql_parser import Expr, MatchOp, VectorSelector

        def selectors(node):
            if isinstance(node, VectorSelector):
                yield node
                return
            for name in ("lhs", "rhs", "expr", "param", "vector_selector", "args"):
                value = getattr(node, name, None)
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, Expr):
                        yield from selectors(child)

        def condition(matcher):
            values = [matcher.value]
            if matcher.op in (MatchOp.Re, MatchOp.NotRe):
                values = matcher.value.split("|")
                if any(not re.fullmatch("[A-Za-z0-9_]+", value) for value in values):
                    values = None
            return {"label": matcher.name, "values": values}

        def selector(node):
            assert node.name, "a selector without a name: " + node.prettify()
            return {"metric": node.name, "conditions": [condition(m) for m in node.matchers.matchers]}

        def read(path):
            with open(path, encoding="utf-8") as file:
                return yaml.safe_load(file)

        split = sys.argv.index("--")
        rules, tests = [], []
        for path in sys.argv[1:split]:
            for group in read(path)["groups"]:
                for rule in group["rules"]:
                    found = [selector(node) for node in selectors(promql_parser.parse(rule["expr"]))]
                    rules.append({
                        "group": group["name"], "name": rule.get("alert") or rule["record"], "isAlert": "alert" in rule,
                        "expression": rule["expr"], "labels": rule.get("labels", {}),
                        "annotations": rule.get("annotations", {}), "selectors": found,
                    })
        for path in sys.argv[split + 1:]:
            for group in read(path)["tests"]:
                for test in group.get("alert_rule_test", []):
                    tests.append({"alert": test["alertname"], "fires": bool(test["exp_alerts"])})
        print(json.dumps({"rules": rules, "alertTests": tests}))
        """
}
