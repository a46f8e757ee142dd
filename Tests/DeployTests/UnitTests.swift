import Exporter
import Foundation
import Glibc
import Platform
import TestSupport
import Testing

/// The unit of systemd, `deploy/systemd/lkpush.service`, and its file of settings.
@Suite struct UnitTests {
    private static let path = Deployed.folder + "systemd/lkpush.service"
    private static let systemd = "/usr/bin/systemd-analyze"
    private let folder = TemporaryFolder()

    /// The values of a key, in their order.
    private func values(_ key: String) throws -> [String] {
        try Deployed.text("systemd/lkpush.service").split(separator: "\n").filter { $0.hasPrefix(key + "=") }
            .map { String($0.dropFirst(key.count + 1)) }
    }

    @Test func `systemd finds nothing wrong with it, and rates how much it may touch`() throws {
        // The program is not at its place on a machine that runs tests.
        let text = try Deployed.text("systemd/lkpush.service")
        let path = folder.file("lkpush.service")
        try FileStore.replace(
            path, with: Array(text.replacing("/usr/local/bin/lkpush", with: BuiltProgram.executable).utf8), mode: 0o644)
        let verified = ChildProcess.run(Self.systemd, ["verify", "--man=no", "--recursive-errors=no", path])
        #expect(verified.status == 0 && verified.output.isEmpty, "\(verified.output)")
        // 1.1 of 10: the network and the file system of the machine are what is left.
        let rated = ChildProcess.run(
            Self.systemd, ["security", "--offline=true", "--threshold=11", "--no-pager", path])
        #expect(rated.status == 0, "\(rated.output.split(separator: "\n").last ?? "")")
    }

    @Test func `what it says of the program is true`() throws {
        let (settings, _) = Deployed.settings([:])
        let command = try #require(values("ExecStart").first).split(separator: " ").map(String.init)
        #expect(try CommandLine(Array(command.dropFirst())).command == .serve)
        #expect(try values("Environment") == ["STATE_DIR=/var/lib/\(try #require(values("StateDirectory").first))"])
        #expect(try values("WorkingDirectory") == ["/var/lib/lkpush"])
        // systemd gives it longer than it takes.
        let patience = try #require(values("TimeoutStopSec").first.flatMap(Int.init))
        #expect(Duration.seconds(patience) > settings.shutdownTimeout)
        let descriptors = try #require(values("LimitNOFILE").first.flatMap(Int.init))
        #expect(descriptors > settings.maxConnections * 2)
        // Wrong settings and wrong arguments are not tried again.
        let wrong = ChildProcess.run(BuiltProgram.executable, ["serve"])
        let arguments = ChildProcess.run(BuiltProgram.executable, ["serve", "now"])
        #expect(try values("RestartPreventExitStatus") == ["\(arguments.status) \(wrong.status)"])
        #expect(try values("AssertPathExists") == values("EnvironmentFile"))
    }

    @Test func `the file of settings has only comments, and each stands for a setting`() throws {
        let lines = try Deployed.text("systemd/lkpush.env").split(separator: "\n")
        #expect(lines.allSatisfy { $0.hasPrefix("#") })
        let assignments = lines.compactMap { $0.firstMatch(of: #/^#([A-Z_]+)=(.*)$/#)?.output }
        #expect(assignments.count > 8)
        for (_, name, _) in assignments { #expect(Deployed.settingNames.contains(String(name)), "\(name)") }
        // Without the marks of comments, and with secrets, it is a configuration that works.
        var environment: [String: String] = [:]
        for (_, name, value) in assignments { environment[String(name)] = value.isEmpty ? "secret" : String(value) }
        #expect(Deployed.settings(environment).problems == [])
        let defaults = Deployed.settings([:]).settings
        #expect(environment["LISTEN"] == defaults.listen && environment["METRICS_LISTEN"] == defaults.metricsListen)
    }

    @Test(.enabled(if: getuid() == 0, "only root may become the user of the service"))
    func `lkpush works under its restrictions, and never asks the system for what it forbids`() throws {
        let receiver = try ScriptedReceiver()
        let (webhooks, log) = (FixedPorts.pick(), folder.file("log"))
        let state = folder.file("state")
        mkdir(state, 0o700)
        chown(state, ImageTree.user, ImageTree.user)
        var environment = BuiltProgram.environment(folder)
        environment["LISTEN"] = "127.0.0.1:\(webhooks)"
        environment["ORG_SOURCE"] = "room-name"
        environment["ORG_ROOM_PATTERN"] = "^(?<org>[a-z]+)-"
        environment["SNAPSHOT_INTERVAL"] = "50ms"
        environment["GRAFANA_PROM_REMOTE_WRITE_URL"] = "http://localhost:\(receiver.port)/"
        environment["PUSH_INTERVAL"] = "100ms"
        let process = try ChildProcess(
            "/usr/bin/python3",
            [
                Repository.root + "/Tests/Deploy/restricted.py", Self.path, "\(ImageTree.user)",
                BuiltProgram.executable, "serve",
            ], environment: environment, output: log)
        func output() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        #expect(eventually { process.poll() != nil || LoopbackClient.get("/readyz", port: webhooks)?.status == 200 })
        try #require(process.poll() == nil, "\(output())")
        let client = try LoopbackClient(port: webhooks)
        for (event, identity) in [("room_started", nil), ("participant_joined", "a"), ("participant_left", "a")] {
            let webhook = SignedWebhook.make(event, room: "acme-red", identity: identity)
            #expect(client.post("/webhook", ["Authorization": webhook.token], webhook.body)?.status == 200)
        }
        process.signal(SIGHUP)
        #expect(receiver.wait { $0.filter(\.wasAnswered).count > 3 }, "\(output())")
        // Only the newest two are kept, so the second may have gone.
        #expect(
            eventually {
                let names = (try? Folder.names(state)) ?? []
                return names.contains { Int($0.replacing("snapshot.", with: "")).map { $0 >= 2 } ?? false }
            })
        #expect(process.end(with: SIGTERM) == 0, "\(output())")
    }
}
