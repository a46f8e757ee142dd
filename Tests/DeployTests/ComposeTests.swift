import Exporter
import Foundation
import Platform
import TestSupport
import Testing

/// The stack of `deploy/compose.yaml`.
@Suite(.enabled(if: Deployed.isPythonWanted, "set LKPUSH_TEST_PYTHON to a Python with Tests/requirements.txt"))
struct ComposeTests {
    private let files: DeployFiles
    private var services: [String: DeployFiles.Container] { files.compose.services }

    init() throws { files = try DeployFiles.read() }

    @Test func `it is what the specification of Compose describes`() throws {
        let checked = ChildProcess.run(
            try #require(Deployed.python),
            ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", Deployed.folder + "compose.yaml"])
        #expect(checked.status == 0, "\(checked.output)")
        #expect(Set(services.keys) == ["lkpush", "postgres", "prometheus", "grafana"])
    }

    @Test func `lkpush gets settings that exist and suit each other`() throws {
        let lkpush = try #require(services["lkpush"])
        var environment = files.imageEnvironment
        for (name, text) in try #require(lkpush.environment) {
            // libpq's own variable.
            if name != "PGPASSWORD" { environment[name] = try Self.filled(text) }
        }
        for name in environment.keys { #expect(Deployed.settingNames.contains(name), "\(name)") }
        let (settings, problems) = Deployed.settings(environment)
        #expect(problems == [])
        #expect(settings.destinations.map { $0.url.map { "\($0)" } } == ["http://prometheus:9090/api/v1/write"])
        #expect(try settings.databaseLocation() == "postgres://lkpush@postgres/lkpush")
        #expect(lkpush.volumes == ["lkpush:\(settings.stateDirectory)"])
        let ports = [settings.listen, settings.metricsListen].compactMap { $0.split(separator: ":").last }
        #expect(lkpush.ports?.compactMap { $0.split(separator: ":").last } == ports)
        let patience = try #require(lkpush.stopGracePeriod.flatMap(UnitText.duration))
        #expect(patience > settings.shutdownTimeout)
        #expect(lkpush.healthcheck.test == ["CMD"] + files.image("HEALTHCHECK").dropFirst())
        #expect(lkpush.deploy.resources.limits == ["cpus": "0.5", "memory": "300M"])
        #expect(lkpush.dependsOn?["postgres"] == ["condition": "service_healthy"])
    }

    @Test func `a container can write only into volumes, has no rights, and has limits`() throws {
        for (name, container) in services {
            #expect(container.readOnly && container.capDrop == ["ALL"], "\(name)")
            #expect(container.securityOpt == ["no-new-privileges:true"] && container.restart == "unless-stopped")
            #expect(container.healthcheck.test.count > 1 && container.healthcheck.test[0] == "CMD", "\(name)")
            #expect(Set(container.deploy.resources.limits.keys) == ["cpus", "memory"], "\(name)")
            #expect(name == "lkpush" || container.image.contains(":"), "\(name) has no version")
            for network in container.networks ?? [] { #expect(files.compose.networks[network] != nil, "\(network)") }
            for volume in container.volumes {
                let parts = volume.split(separator: ":").map(String.init)
                if parts[0].hasPrefix("./") {
                    let path = Deployed.folder + parts[0].dropFirst(2)
                    #expect(FileManager.default.fileExists(atPath: path) && parts.last == "ro", "\(volume)")
                } else {
                    #expect(files.compose.volumes[parts[0]] != nil, "\(volume)")
                }
            }
            // Only webhooks come from outside.
            for port in container.ports ?? [] where !port.hasSuffix(":3001") {
                #expect(port.hasPrefix("127.0.0.1:"), "\(name) \(port)")
            }
        }
        #expect(files.compose.networks["database"] == ["internal": true])
        #expect(services["postgres"]?.networks == ["database"] && services["postgres"]?.ports == nil)
    }

    @Test func `Prometheus takes samples, and Grafana finds it and the dashboards`() throws {
        let prometheus = try #require(services["prometheus"])
        #expect(prometheus.command?.contains("--web.enable-remote-write-receiver") == true)
        let checked = ChildProcess.run(
            "/usr/bin/promtool", ["check", "config", "--syntax-only", Deployed.folder + "compose/prometheus.yml"])
        #expect(checked.status == 0, "\(checked.output)")
        #expect(try Deployed.text("compose/prometheus.yml").contains("- /etc/prometheus/rules/*.yaml\n"))
        #expect(prometheus.volumes.contains("./prometheus:/etc/prometheus/rules:ro"))
        let grafana = try #require(services["grafana"])
        let dashboards = try Deployed.text("grafana/provisioning/dashboards/lkpush.yaml")
        let path = try #require(dashboards.firstMatch(of: #/(?m)^      path: (.+)$/#)).output.1
        #expect(grafana.volumes.contains("./grafana:\(path):ro"))
        for folder in ["dashboards", "datasources"] {
            let mount = "./grafana/provisioning/\(folder):/etc/grafana/provisioning/\(folder):ro"
            #expect(grafana.volumes.contains(mount))
        }
        let source = try Deployed.text("grafana/provisioning/datasources/lkpush.yaml")
        #expect(source.contains("url: ${PROMETHEUS_URL}\n"))
        #expect(grafana.environment?["PROMETHEUS_URL"] == "http://prometheus:9090")
    }

    @Test func `a password that is missing is asked for by name`() throws {
        let text = try Deployed.text("compose.yaml")
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        var required: Set<String> = []
        for line in lines {
            for match in line.matches(of: #/\$\{([A-Z_]+)([^}]*)\}/#) {
                let (name, rest) = (String(match.output.1), match.output.2)
                if rest.hasPrefix(":?") { required.insert(name) }
                #expect(rest.hasPrefix(":?") && rest.count > 10 || rest.hasPrefix(":-") && rest.count > 2, "\(line)")
                // The beginning of the file says what to set.
                if rest.hasPrefix(":?") { #expect(text.contains("#   \(name)="), "\(name)") }
            }
            // No password stands in the file.
            if line.contains("PASSWORD") || line.contains("SECRET") { #expect(line.contains("${"), "\(line)") }
        }
        #expect(required == ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD"])
    }

    /// The text as Compose fills it in where only variables without a default are set.
    private static func filled(_ text: String) throws -> String {
        text.replacing(#/\$\{[A-Z_]+:([?-])([^}]*)\}/#) { $0.output.1 == "?" ? "value" : String($0.output.2) }
    }
}
