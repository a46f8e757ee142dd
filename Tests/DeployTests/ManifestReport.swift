import Exporter
import Foundation
import Platform
import TestSupport

/// The findings of `Tests/Deploy/manifests.py` about the manifests and the chart. It runs once for all tests.
///
/// `LKPUSH_TEST_KUBERNETES` names the folder that `Tests/Deploy/tools.py` makes. Without it the tests are left out on a
/// developer's machine, and fail in continuous integration.
struct ManifestReport: Decodable {
    static let tools = ProcessInfo.processInfo.environment["LKPUSH_TEST_KUBERNETES"]
    static let isWanted = tools != nil || ProcessInfo.processInfo.environment["CI"] == "true"

    /// What lkpush would get in a pod.
    struct Environment: Decodable {
        /// The renderings that give it.
        let names: [String]
        let variables: [String: String]
        /// The content of each file that a variable names.
        let files: [String: String]
    }

    struct Counts: Decodable {
        let renderings: Int
        let documents: Int
        let wrong: Int
        let mistakes: Int
    }

    /// What is wrong, by check.
    let problems: [String: [String]]
    let environments: [Environment]
    /// The overlays before anything is filled in.
    let unfilled: [Environment]
    /// The requests that a cluster sends, such as `LISTEN GET /readyz`.
    let requests: [String]
    let counts: Counts

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func read() throws -> ManifestReport { try shared.get() }

    private static let shared = Result { try run() }

    private static func run() throws -> ManifestReport {
        guard let tools else {
            throw Failure(description: "LKPUSH_TEST_KUBERNETES must name what Tests/Deploy/tools.py made")
        }
        let folder = TemporaryFolder()
        let program = Repository.root + "/Tests/Deploy/manifests.py"
        let (status, output) = ChildProcess.run(tools + "/python", [program, tools, folder.path])
        guard status == 0 else { throw Failure(description: output) }
        return try JSONDecoder().decode(ManifestReport.self, from: Data(output.utf8))
    }
}

extension ManifestReport.Environment {
    /// Reads the settings as lkpush does in the pod. The files lie in `folder` instead of the mounted Secret.
    func read(in folder: TemporaryFolder) throws -> SettingsReader {
        var variables = variables
        for (name, value) in variables {
            guard let content = files[value] else { continue }
            let path = folder.file(String(value.split(separator: "/").last ?? ""))
            try FileStore.replace(path, with: Array(content.utf8))
            variables[name] = path
        }
        var reader = SettingsReader(variables)
        _ = Settings(&reader)
        return reader
    }
}
