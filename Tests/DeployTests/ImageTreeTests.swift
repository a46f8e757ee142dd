import Foundation
import Glibc
import Platform
import TestSupport
import Testing

/// `deploy/image-tree` makes all that lkpush needs in a container, and nothing else.
@Suite struct ImageTreeTests {
    private let folder = TemporaryFolder()

    /// The variables that the image sets, and those of a run on given ports.
    private func environment(_ webhooks: UInt16, _ metrics: UInt16, _ more: [String: String]) -> [String: String] {
        var variables = BuiltProgram.environment(folder).merging(more) { $1 }
        variables["STATE_DIR"] = "/var/lib/lkpush"
        variables["LISTEN"] = "127.0.0.1:\(webhooks)"
        variables["METRICS_LISTEN"] = "127.0.0.1:\(metrics)"
        return variables
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "a mount namespace and other users need root and CAP_SYS_ADMIN"))
    func `lkpush runs in the tree as another user, where only its state can be written`() throws {
        let tree = try ImageTree(in: folder)
        let receiver = try ScriptedReceiver()
        let server = try ClientCertificateServer(before: receiver.port, asksForCertificate: false)
        let (webhooks, metrics) = (FixedPorts.pick(), FixedPorts.pick())
        let variables = environment(
            webhooks, metrics, ["GRAFANA_PROM_REMOTE_WRITE_URL": "https://localhost:\(server.port)/api/v1/write"])

        // The certificate authorities are those of the tree.
        let stranger = CheckOutput(tree.run(["check"], variables))
        #expect(stranger.status == 1 && stranger.about("receiver default").first?.text.contains("self-signed") == true)
        let bundle = tree.path + "/etc/ssl/certs/ca-certificates.crt"
        try FileStore.replace(
            bundle, with: FileStore.read(bundle) + FileStore.read(server.certificate), mode: 0o644)
        let trusted = CheckOutput(tree.run(["check"], variables))
        #expect(trusted.status == 0 && trusted.findings.allSatisfy { $0.mark == "ok" }, "\(trusted)")

        let log = folder.file("log")
        let process = try tree.start(variables, log: log)
        #expect(eventually { process.poll() != nil || LoopbackClient.get("/readyz", port: webhooks)?.status == 200 })
        try #require(process.poll() == nil, "\(Self.text(log))")
        let webhook = SignedWebhook.make("room_started", room: "red")
        let answer = try LoopbackClient(port: webhooks).post("/webhook", ["Authorization": webhook.token], webhook.body)
        #expect(answer?.status == 200)
        #expect(receiver.wait { $0.contains { $0.wasAnswered } }, "\(Self.text(log))")

        let status = Self.text("/proc/\(process.pid)/status")
        for line in ["Name:\tlkpush\n", "\nUid:\t65532\t65532\t65532\t65532\n", "\nGid:\t65532\t65532\t65532\t65532\n"]
        {
            #expect(status.contains(line), "\(status)")
        }
        let libraries = tree.files.filter { $0.contains(".so") }.compactMap { $0.split(separator: "/").last }
        let loaded = try ImageTree.libraries(of: process.pid)
        #expect(loaded.symmetricDifference(libraries.map(String.init)) == [], "in the tree or loaded, not both")
        #expect(try Set(Self.withoutLibraries(tree)) == Self.others)
        #expect(process.end(with: SIGTERM) == 0, "\(Self.text(log))")
        #expect(try Deployed.files(below: folder.file("volume")).contains("journal.db"))
        // A read-only file system has nothing new.
        #expect(try Set(Deployed.files(below: tree.path)) == Set(tree.files + ["etc/hosts"]))
    }

    /// The files beside libraries and what comes with their packages.
    private static let others: Set = [
        "etc/group", "etc/nsswitch.conf", "etc/os-release", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", "lib",
        "lib64", "usr/lib/os-release", "usr/local/bin/lkpush",
    ]

    private static func withoutLibraries(_ tree: ImageTree) throws -> [String] {
        let packages = try FileManager.default.contentsOfDirectory(atPath: tree.path + "/var/lib/dpkg/status.d")
        #expect(packages.contains("libcurl4") && packages.contains("ca-certificates"))
        let known = Set(packages.flatMap { ["var/lib/dpkg/status.d/\($0)", "usr/share/doc/\($0)/copyright"] })
        #expect(known.isSubset(of: tree.files))
        return tree.files.filter { !$0.contains(".so") && !known.contains($0) }
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? "no \(path)"
    }

    @Test func `the same program makes the same tree`() throws {
        // Any program will do.
        for (name, arguments) in [("one", [String]()), ("two", ["--quiet"])] {
            let made = Deployed.run("image-tree", arguments + [folder.file(name), "/bin/true"])
            #expect(made.status == 0 && made.output.contains("MB  all of ") == arguments.isEmpty, "\(made.output)")
        }
        let lists = ["one", "two"].map { name in
            ChildProcess.run("/usr/bin/find", [folder.file(name), "-printf", "%P %y %m %U:%G %T@ %l\n"]).output
        }
        let lines = lists.map { $0.split(separator: "\n").sorted() }
        #expect(lines[0] == lines[1] && lines[0].count > 20)
        #expect(lines[0].allSatisfy { $0.contains(" 0.0000000000") }, "a file has a time of its own")
        #expect(ChildProcess.run("/usr/bin/diff", ["--recursive", folder.file("one"), folder.file("two")]).status == 0)
        let owner = getuid() == 0 ? "65532:65532" : "\(getuid()):\(getgid())"
        #expect(lines[0].contains { $0.hasPrefix("var/lib/lkpush d 700 \(owner) ") })
        if getuid() == 0 { #expect(lines[0].filter { !$0.contains(" 0:0 ") }.count == 1) }
    }

    @Test func `what cannot be done is said, and nothing is overwritten`() throws {
        try FileStore.replace(folder.file("file"), with: [])
        for (arguments, status, words) in [
            ([folder.path, "/bin/true"], 1, "is there already, and not empty"),
            ([folder.file("new"), folder.file("file")], 1, "is no program"), ([], 64, "usage: deploy/image-tree"),
            (["--loud", folder.file("new")], 64, "--loud: unknown"), (["--help"], 0, "usage: deploy/image-tree"),
        ] as [([String], Int32, String)] {
            let made = Deployed.run("image-tree", arguments)
            #expect(made.status == status && made.output.contains(words), "\(arguments): \(made.output)")
        }
        #expect(try Deployed.files(below: folder.path) == ["file"])
    }
}

extension CheckOutput {
    fileprivate init(_ ended: (status: Int32, output: String)) { self.init(status: ended.status, output: ended.output) }
}
