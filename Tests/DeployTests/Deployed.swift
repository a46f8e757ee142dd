import Exporter
import Foundation
import TestSupport

/// The files of `deploy`, and the program that its scripts take.
enum Deployed {
    static let folder = Repository.root + "/deploy/"

    /// The release build, which `LKPUSH_TEST_RELEASE` names. Without it, the program that was built with the tests: it
    /// loads the Swift runtime as libraries, and is otherwise the same.
    static let program = ProcessInfo.processInfo.environment["LKPUSH_TEST_RELEASE"] ?? BuiltProgram.executable

    /// A Python that has what `Tests/requirements.txt` lists. Without it the tests that need one are left out on a
    /// developer's machine, and fail in continuous integration.
    static let python = ProcessInfo.processInfo.environment["LKPUSH_TEST_PYTHON"]
    static let isPythonWanted = python != nil || ProcessInfo.processInfo.environment["CI"] == "true"

    static func text(_ name: String) throws -> String { try String(contentsOfFile: folder + name, encoding: .utf8) }

    /// Runs a script of `deploy`.
    static func run(
        _ script: String, _ arguments: [String], _ environment: [String: String] = [:]
    ) -> (status: Int32, output: String) {
        let standard = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        return ChildProcess.run(
            folder + script, arguments, environment: standard.merging(environment) { $1 })
    }

    /// The paths of all files and links below a folder, sorted.
    static func files(below path: String) throws -> [String] {
        let all = try FileManager.default.subpathsOfDirectory(atPath: path)
        return all.filter { name in
            let type = try? FileManager.default.attributesOfItem(atPath: path + "/" + name)[.type] as? FileAttributeType
            return type != .typeDirectory
        }.sorted()
    }

    /// The settings of an environment, and what is wrong with it.
    static func settings(_ environment: [String: String]) -> (settings: Settings, problems: [String]) {
        var reader = SettingsReader(environment)
        let settings = Settings(&reader)
        return (settings, reader.problems + reader.warnings)
    }

    /// All settings of the program.
    static let rows: [SettingsReader.Row] = {
        var reader = SettingsReader([:])
        _ = Settings(&reader)
        return reader.rows
    }()

    /// Their names.
    static let settingNames = Set(rows.map(\.name))
}
