import Glibc
import Platform
import TestSupport
import Testing

/// The built program behind a proxy, with the variables that it reads and those that it does not.
@Suite struct ProxyTests {
    private static let push = ["PUSH_INTERVAL": "100ms", "IDLE_PUSH_INTERVAL": "100ms", "SHUTDOWN_TIMEOUT": "10s"]

    @Test(arguments: ["HTTP_PROXY", "http_proxy"])
    func `an http receiver is reached through the proxy`(_ name: String) throws {
        let proxy = try ScriptedReceiver()
        let folder = TemporaryFolder()
        let exporter = try RunningExporter(
            folder,
            Self.push.merging([
                "GRAFANA_PROM_REMOTE_WRITE_URL": "http://receiver.example/api/v1/write",
                name: "127.0.0.1:\(proxy.port)",
            ]) { $1 })
        _ = try exporter.ready()
        #expect(Waiting.until("a push") { !proxy.requests.isEmpty })
        #expect(proxy.requests.first?.target == "http://receiver.example/api/v1/write")
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }

    @Test func `a file of variables may name the proxy`() throws {
        let proxy = try ScriptedReceiver()
        let folder = TemporaryFolder()
        let text = "HTTP_PROXY=http://127.0.0.1:\(proxy.port)\nNO_PROXY=other.example\n"
        try FileStore.replace(folder.file("env"), with: Array(text.utf8))
        let exporter = try RunningExporter(
            folder, arguments: ["--env-file", folder.file("env")],
            Self.push.merging(["GRAFANA_PROM_REMOTE_WRITE_URL": "http://receiver.example/write"]) { $1 })
        _ = try exporter.ready()
        #expect(Waiting.until("a push") { !proxy.requests.isEmpty })
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }

    @Test func `variables that only curl reads have no effect`() throws {
        let receiver = try ScriptedReceiver()
        let folder = TemporaryFolder()
        let exporter = try RunningExporter(
            folder,
            Self.push.merging([
                // curl knows that this is loopback, and would ask the proxy all the same.
                "GRAFANA_PROM_REMOTE_WRITE_URL": "http://receiver.localhost:\(receiver.port)/write",
                "ALL_PROXY": "http://127.0.0.1:\(FixedPorts.pick())", "no_proxy": "",
            ]) { $1 })
        _ = try exporter.ready()
        #expect(Waiting.until("a push") { !receiver.requests.isEmpty })
        #expect(receiver.requests.first?.target == "/write")
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }

    @Test func `a proxy that is no URL ends the start with its name and without its text`() throws {
        for (variables, isBad) in [
            (["HTTPS_PROXY": "ftp://me:s3cret@proxy.example"], true),
            (["http_proxy": "http://me:s3cret@proxy.example:99999"], true), (["ALL_PROXY": "s3cret@@"], false),
        ] {
            let folder = TemporaryFolder()
            let (status, output) = ChildProcess.run(
                BuiltProgram.executable, ["check"],
                environment: BuiltProgram.environment(folder).merging([
                    "GRAFANA_PROM_REMOTE_WRITE_URL": "http://127.0.0.1:\(FixedPorts.pick())/write"
                ]) { $1 }.merging(variables) { $1 })
            #expect((status == 78) == isBad, "\(output)")
            for name in variables.keys where isBad {
                #expect(output.contains("\(name): expected the URL of a proxy"), "\(output)")
            }
            #expect(!output.contains("s3cret"))
        }
    }
}
