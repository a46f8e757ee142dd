import Exporter
import Platform
import TestSupport
import Testing

/// Environments that lkpush shares with others: those that Kubernetes fills, and those of a backend beside it.
@Suite struct SharedEnvironmentTests {
    private let own = ["LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"]

    private func read(_ others: [String: String]) -> SettingsReader {
        var reader = SettingsReader(own.merging(others) { $1 })
        _ = Settings(&reader)
        return reader
    }

    private func readFile(_ text: String) throws -> SettingsReader {
        let folder = TemporaryFolder()
        try FileStore.replace(folder.file("env"), with: Array(text.utf8))
        var reader = SettingsReader(try EnvironmentFile.read(folder.file("env"), under: own))
        _ = Settings(&reader)
        return reader
    }

    /// What Kubernetes sets in each pod for one service with two named ports.
    /// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    private func injected(_ service: String, _ number: Int) -> [String: String] {
        let name = service.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
        let host = "10.96.\(number / 250).\(number % 250 + 1)"
        var variables = [
            "\(name)_SERVICE_HOST": host, "\(name)_SERVICE_PORT": "80", "\(name)_SERVICE_PORT_HTTP": "80",
            "\(name)_SERVICE_PORT_METRICS": "9464", "\(name)_PORT": "tcp://\(host):80",
        ]
        for port in [80, 9_464] {
            let place = "\(name)_PORT_\(port)_TCP"
            variables[place] = "tcp://\(host):\(port)"
            variables[place + "_PROTO"] = "tcp"
            variables[place + "_PORT"] = "\(port)"
            variables[place + "_ADDR"] = host
        }
        return variables
    }

    @Test func `a pod among a hundred services starts without a word`() {
        // Services may be called as our prefixes and settings are.
        let named = [
            "lkpush", "livekit", "livekit-server", "grafana", "loki", "webhook", "relay", "journal", "spool",
            "remote-write", "remote-write-destination-eu", "org", "metrics", "metric-server", "instance", "service",
            "region", "listen", "log-level", "state-dir", "max-series", "environment", "database-url", "job",
        ]
        let services = named + (named.count..<100).map { "app-\($0)" }
        var variables: [String: String] = [:]
        for (number, service) in services.enumerated() {
            variables.merge(injected(service, number)) { first, _ in first }
        }
        #expect(services.count == 100 && variables.count == 1_300)
        let reader = read(variables)
        #expect(reader.problems == [])
        #expect(reader.warnings == [])
    }

    /// What systemd sets for services.
    /// https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Environment%20Variables%20Set%20or%20Propagated%20by%20the%20Service%20Manager
    @Test func `a service of systemd starts without a word`() {
        let names = [
            "LANG", "USER", "LOGNAME", "HOME", "SHELL", "INVOCATION_ID", "XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY",
            "STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY",
            "MAINPID", "MANAGERPID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID",
            "WATCHDOG_USEC", "SYSTEMD_EXEC_PID", "TERM", "COLORTERM", "LOG_NAMESPACE", "JOURNAL_STREAM",
            "SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS", "MONITOR_SERVICE_RESULT", "MONITOR_INVOCATION_ID", "PIDFILE",
            "REMOTE_ADDR", "REMOTE_PORT", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE", "FDSTORE",
        ]
        let reader = read(Dictionary(uniqueKeysWithValues: names.map { ($0, "x") }))
        #expect(reader.problems == [])
        #expect(reader.warnings == [])
    }

    @Test func `an environment that is shared with a LiveKit backend starts, and what is not read is one warning`() {
        let reader = read([
            "LIVEKIT_HOST": "livekit.example", "LIVEKIT_WS_URL": "wss://livekit.example", "LIVEKIT_SECRET": "x",
            "LIVEKIT_CONFIG": "port: 7880", "LIVEKIT_AGENT_NAME": "helper", "LIVEKIT_REDIS_ADDRESS": "redis:6379",
            "LIVEKIT_WEBHOOK_URL": "https://example/webhook", "LIVEKIT_EGRESS_BUCKET": "b",
            "GRAFANA_URL": "https://grafana.example", "GRAFANA_PROM_PASSWORD": "x", "LOKI_HOST": "loki:3100",
            "ORG_NAME": "acme", "METRICS_ENABLED": "true", "NODE_ENV": "production", "PORT": "8080",
            "REDIS_URL": "redis://redis", "WORKOS_API_KEY": "x", "WORKOS_CLIENT_ID": "x", "JWT_SECRET": "x",
            "OTEL_SERVICE_NAME": "backend", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4317", "SENTRY_DSN": "x",
            "DATABASE_POOL_SIZE": "5", "LOG_FILE": "/var/log/backend", "TZ": "UTC", "LANG": "C.UTF-8",
        ])
        #expect(reader.problems == [])
        #expect(reader.warnings.count == 1)
        for name in ["LIVEKIT_SECRET", "LIVEKIT_HOST", "GRAFANA_PROM_PASSWORD", "ORG_NAME", "METRICS_ENABLED"] {
            #expect(reader.warnings.first?.contains(name) == true, "\(name): \(reader.warnings)")
        }
    }

    @Test(
        arguments: [
            ("REMOTE_WRITE_URL", "GRAFANA_PROM_REMOTE_WRITE_URL"), ("METRIC_LISTEN", "METRICS_LISTEN"),
            ("WEBHOOK_MAXBODY", "WEBHOOK_MAX_BODY"), ("REMOTE_WRITE_BEARER", "REMOTE_WRITE_HEADERS"),
        ] as [(String, String)])
    func `a name that is nearly a setting's is an error, in the environment and in a file`(
        _ name: String, _ meant: String
    ) throws {
        #expect(read([name: "x"]).problems == ["\(name): no such setting; is \(meant) meant?"])
        #expect(try readFile("\(name)=x").problems == ["\(name): no such setting; is \(meant) meant?"])
    }

    @Test func `a file is held to the same rules about names as the environment`() throws {
        let reader = try readFile(
            "GRAFANA_PROM_PASSWORD=x\nLIVEKIT_SECRET=x\nENVIRONMENT_FILE=/x\nMY_SERVICE_HOST=x\nOTEL_SERVICE_NAME=x\n"
                + "LIVEKIT_API_SECRET_FILE=/x\nPORT=1\nLOG_LEVEL=WARN\n")
        #expect(
            reader.problems == [
                "LIVEKIT_API_SECRET and LIVEKIT_API_SECRET_FILE are both set: give one",
                "ENVIRONMENT_FILE: ENVIRONMENT is no secret and is not read from a file; set ENVIRONMENT itself",
            ])
        #expect(
            reader.warnings == [
                "GRAFANA_PROM_PASSWORD, LIVEKIT_SECRET: no setting of lkpush, not read; see lkpush help where one was meant"
            ])
    }

    @Test func `a secret that is given twice is an error, whichever it is`() {
        var table = SettingsReader(own)
        _ = Settings(&table)
        let secrets = table.rows.filter { $0.isSecret && !$0.isPattern }.map(\.name)
        #expect(secrets.contains("GRAFANA_API_KEY") && secrets.contains("DATABASE_URL"))
        for name in secrets {
            #expect(
                read([name: "x", name + "_FILE": "/x"]).problems.contains(
                    "\(name) and \(name)_FILE are both set: give one"),
                "\(name)")
        }
    }

    @Test func `enumerations may be written in any case, and with the usual other words`() {
        for (name, values) in [
            "LOG_LEVEL": ["warn", "WARN", "Warning", "INFO"], "LOG_FORMAT": ["JSON", "Text"],
            "DURABILITY": ["Commit", "MEMORY"], "ORG_SOURCE": ["Fixed", "DATABASE"], "SINGLE_SESSION": ["False", "no"],
            "REMOTE_WRITE_MESSAGE": ["AUTO"],
        ] {
            for value in values { #expect(read([name: value]).problems == [], "\(name)=\(value)") }
        }
        #expect(read(["PUSH_INTERVAL": "1m30s", "IDLE_PUSH_INTERVAL": "2m"]).problems == [])
    }
}
