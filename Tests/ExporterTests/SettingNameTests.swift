import Exporter
import Testing

/// Names in the environment that are not settings.
@Suite struct SettingNameTests {
    private func read(_ changes: [String: String]) -> SettingsReader {
        var reader = SettingsReader(
            ["LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"].merging(changes) { $1 })
        _ = Settings(&reader)
        return reader
    }

    @Test(
        arguments: [
            ("REMOTE_WRITE_TIMEOT", "REMOTE_WRITE_TIMEOUT"), ("GRAFANA_API_KEY_FIL", "GRAFANA_API_KEY_FILE"),
            // Names with prefixes that only lkpush uses, at any distance from a setting.
            ("REMOTE_WRITE_SEND_DEADLINE", "REMOTE_WRITE_BATCH_SEND_DEADLINE"),
            ("WEBHOOK_LIMIT", "WEBHOOK_MAX_BODY"), ("JOURNAL_MAXIMUM_SIZE", "JOURNAL_MAX_BYTES"),
            // Typing mistakes, with any prefix.
            ("PUSH_INTERVALL", "PUSH_INTERVAL"), ("LOGLEVEL", "LOG_LEVEL"), ("STATEDIR", "STATE_DIR"),
            ("ENVIROMENT", "ENVIRONMENT"), ("METRIC_LISTEN", "METRICS_LISTEN"), ("MAX_SERIE", "MAX_SERIES"),
            ("LIVEKIT_KEY_FILE", "LIVEKIT_KEYS_FILE"), ("ORG_ROOM_PATERN", "ORG_ROOM_PATTERN"),
        ] as [(String, String)])
    func `a name that is meant for lkpush is an error that says what is near`(_ name: String, _ nearest: String) {
        #expect(read([name: "hunter2"]).problems == ["\(name): no such setting; is \(nearest) meant?"])
        #expect(read([name: "hunter2"]).warnings == [])
    }

    @Test(arguments: ["SPOOL_DIR", "RELAY_CONFIG", "JOURNAL_SIZE"])
    func `a prefix of lkpush's own is an error before its settings exist`(_ name: String) {
        let problems = read([name: "x"]).problems
        #expect(problems.count == 1 && problems[0].hasPrefix("\(name): no such setting; is "))
    }

    @Test(arguments: ["LIVEKIT_API_KEY", "LISTEN", "REGION", "ENVIRONMENT", "ORG_ID", "STATE_DIR", "LIVEKIT_KEYS_FILE"])
    func `a file for what is no secret is an error that names the setting`(_ name: String) {
        #expect(
            read([name + "_FILE": "/x"]).problems
                == ["\(name)_FILE: \(name) is no secret and is not read from a file; set \(name) itself"])
    }

    @Test func `other names that share a prefix are one warning that lists them`() {
        let reader = read([
            "LIVEKIT_WS_ENDPOINT": "hunter2", "GRAFANA_ADMIN_USER": "x", "ORG_NAMESPACE": "x", "LOKI_ENDPOINT": "x",
            "METRICBEAT_HOSTS": "x", "UNRELATED": "x",
        ])
        #expect(reader.problems == [])
        #expect(
            reader.warnings == [
                "GRAFANA_ADMIN_USER, LIVEKIT_WS_ENDPOINT, LOKI_ENDPOINT, METRICBEAT_HOSTS, ORG_NAMESPACE: "
                    + "no setting of lkpush, not read; see lkpush help where one was meant"
            ])
    }

    @Test func `the list has an end, and no name breaks its line`() {
        var many = Dictionary(uniqueKeysWithValues: (0..<50).map { ("LIVEKIT_SERVER_\($0)", "x") })
        many["GRAFANA_\u{1B}[31m\nX"] = "x"
        let warnings = read(many).warnings
        #expect(warnings.count == 1)
        #expect(warnings[0].hasPrefix("GRAFANA_?[31m?X, ") && warnings[0].contains(" and 31 more: no setting"))
        #expect(!warnings[0].contains("\n"))
    }

    @Test(arguments: [
        "HOME", "PATH", "LISTN", "LIVEKIT_SERVICE_HOST", "LIVEKIT_PORT_443_TCP", "WEBHOOK_SERVICE_PORT_HTTP",
        "RELAY_PORT", "SPOOL_PORT_80_TCP_ADDR", "OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_ENDPOINT", "UNRELATED_TIMEOUT",
        "no_proxy", "SERVICES", "JOBS",
    ])
    func `what belongs to others passes without a word`(_ name: String) {
        #expect(read([name: "x"]).problems.isEmpty && read([name: "x"]).warnings.isEmpty)
    }

    @Test(arguments: [" ", "\u{A0}", "\u{200B}", "\u{FEFF}", "\t"])
    func `a name with something invisible around it is the setting, with a warning`(_ rest: String) {
        for name in ["ORG_ID" + rest, rest + "ORG_ID"] {
            var reader = SettingsReader(["LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret", name: "acme"])
            #expect(Settings(&reader).organizationID == "acme")
            #expect(reader.problems == [])
            #expect(
                reader.warnings
                    == ["ORG_ID: invisible characters around its name were left out; set it without them"])
        }
        #expect(
            read(["ORG_ID": "acme", "ORG_ID" + rest: "other"]).problems
                == ["ORG_ID: is there twice, once with invisible characters around its name; give one"])
    }
}
