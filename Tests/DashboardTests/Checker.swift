import Exporter
import Foundation
import Metrics
import Platform
import TestSupport

/// The Python programs that render and check the dashboards of `deploy/grafana`.
///
/// `LKPUSH_TEST_PYTHON` names a Python that has what `Tests/requirements.txt` lists. Without it the tests are left out
/// on a developer's machine, and fail in continuous integration.
struct Checker {
    static let python = ProcessInfo.processInfo.environment["LKPUSH_TEST_PYTHON"]
    static let isWanted = python != nil || ProcessInfo.processInfo.environment["CI"] == "true"
    static let files = ["organization.json", "platform.json", "pipeline.json"]
    static let committed = Repository.root + "/deploy/grafana/"

    private let python: String
    private let folder: TemporaryFolder

    init(_ python: String, in folder: TemporaryFolder) throws {
        self.python = python
        self.folder = folder
        try Data(Self.families(folder)).write(to: URL(filePath: folder.file("families")))
    }

    /// Renders all dashboards into a folder.
    func render(into path: String) -> (status: Int32, output: String) {
        run("deploy/grafana/source/render.py", [path])
    }

    /// Every query of the dashboards, as JSON, one a line.
    func listQueries() -> (status: Int32, output: String) { run("deploy/grafana/source/queries.py", []) }

    /// Checks dashboards. The output has a line for each problem.
    func check(_ paths: [String]) -> (status: Int32, output: String) {
        run(
            "Tests/Dashboards/check.py", [folder.file("families"), Repository.root + "/deploy/prometheus"] + paths)
    }

    /// Runs queries over made-up series and compares the results with what they have to be.
    func runCases() -> (status: Int32, output: String) { run("Tests/Dashboards/cases.py", [folder.path]) }

    /// `-B`: the sources stay free of compiled files.
    private func run(_ program: String, _ arguments: [String]) -> (status: Int32, output: String) {
        ChildProcess.run(python, ["-B", Repository.root + "/" + program] + arguments)
    }

    /// What a lkpush with every part switched on would have.
    private static func families(_ folder: TemporaryFolder) throws -> Data {
        var reader = SettingsReader([
            "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret", "STATE_DIR": folder.path, "REGION": "eu",
            "ENVIRONMENT": "test", "GRAFANA_PROM_REMOTE_WRITE_URL": "http://127.0.0.1:1/write",
            "SINGLE_SESSION": "true", "LIVEKIT_URL": "ws://127.0.0.1:1",
        ])
        let all = try DeclaredFamilies.ofAnySetup(Settings(&reader), log: Log(level: .error, format: .text))
        let described = all.map { ["name": $0.name, "kind": $0.kind.name, "labels": $0.labelNames] as [String: Any] }
        return try JSONSerialization.data(withJSONObject: described)
    }
}
