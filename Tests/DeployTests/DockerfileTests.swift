import Exporter
import Foundation
import TestSupport
import Testing

/// `deploy/Dockerfile`, as Docker's own parser reads it. What its steps make is tested by `ImageTreeTests`.
@Suite(.enabled(if: Deployed.isPythonWanted, "set LKPUSH_TEST_PYTHON to a Python with Tests/requirements.txt"))
struct DockerfileTests {
    private let files: DeployFiles

    init() throws { files = try DeployFiles.read() }

    @Test func `the image is the tree, its user, and settings that exist`() throws {
        #expect(files.image("FROM") == ["scratch"])
        #expect(files.image("COPY") == ["/image", "/"] && files.image.contains { $0.flags == ["--from=build"] })
        #expect(files.dockerfile.contains { $0.name == "RUN" && $0.values == ["deploy/image-tree /image"] })
        #expect(files.image("USER") == ["\(ImageTree.user):\(ImageTree.user)"])
        let environment = files.imageEnvironment
        for name in environment.keys { #expect(Deployed.settingNames.contains(name), "\(name)") }
        let (settings, problems) = Deployed.settings(
            environment.merging(["LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"]) { $1 })
        #expect(problems == [])
        #expect(files.image("VOLUME") == [settings.stateDirectory])
        #expect(files.image("WORKDIR") == [settings.stateDirectory])
        let ports = [settings.listen, settings.metricsListen].compactMap { $0.split(separator: ":").last }
        #expect(files.image("EXPOSE") == ports.map(String.init))
        #expect(files.image("STOPSIGNAL") == ["SIGTERM"])
        let labels = DeployFiles.pairs(files.image("LABEL"))
        #expect(labels["org.opencontainers.image.version"] == Version.number)
    }

    @Test func `every command is one of lkpush, and needs no shell`() throws {
        let program = "/usr/local/bin/lkpush"
        let entry = try #require(files.image.first { $0.name == "ENTRYPOINT" })
        let command = try #require(files.image.first { $0.name == "CMD" })
        #expect(entry.isExec && entry.values == [program] && command.isExec)
        #expect(try CommandLine(command.values).command == .serve)
        let health = try #require(files.image.first { $0.name == "HEALTHCHECK" })
        #expect(health.values.prefix(2) == ["CMD", program])
        #expect(try CommandLine(Array(health.values.dropFirst(2))).command == .top(["--once"]))
        #expect(try Deployed.text("image-tree").contains("\"$tree\(program)\""))
    }

    @Test func `what the build needs is in its context, and nothing there is made up`() throws {
        let lines = try String(contentsOfFile: Repository.root + "/.dockerignore", encoding: .utf8)
            .split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count > 10)
        func isLeftOut(_ path: String) -> Bool {
            var isOut = false
            for line in lines {
                let pattern = line.drop { $0 == "!" }
                if path == pattern || path.hasPrefix(pattern + "/") { isOut = !line.hasPrefix("!") }
            }
            return isOut
        }
        for path in ["Package.swift", "Sources/lkpush/main.swift", "deploy/packages", "deploy/image-tree"] {
            #expect(FileManager.default.fileExists(atPath: Repository.root + "/" + path) && !isLeftOut(path), "\(path)")
        }
        // SwiftPM wants the folder of each target, and the resources of each.
        let manifest = try String(contentsOfFile: Repository.root + "/Package.swift", encoding: .utf8)
        for match in manifest.matches(of: #/tests\(\s*"(\w+)"/#) { #expect(!isLeftOut("Tests/\(match.output.1)Tests")) }
        for path in ["Tests/EndToEndTests/Data", "Sources/Storage/Migrations", "Sources/Exporter/Page"] {
            #expect(!isLeftOut(path))
        }
        for path in [".git/HEAD", ".build/release", "deploy/compose.yaml", "README.md"] { #expect(isLeftOut(path)) }
    }
}
