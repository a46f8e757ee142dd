import Pipeline
import Exporter
import HTTPClient
import LiveKit
import Platform
import RemoteWrite
import TestSupport
import Testing

@Suite struct SettingsTests {
    private let required = ["LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"]

    private func read(_ changes: [String: String]) -> (settings: Settings, problems: [String], reader: SettingsReader) {
        var reader = SettingsReader(required.merging(changes) { $1 })
        let settings = Settings(&reader)
        return (settings, reader.problems, reader)
    }

    @Test func `a key pair is all that is needed`() {
        let (settings, problems, _) = read([:])
        #expect(problems.isEmpty)
        #expect(settings.listen == "0.0.0.0:3001")
        #expect(settings.metricsListen == "127.0.0.1:9464")
        #expect(settings.pushInterval == .seconds(15))
        #expect(settings.idlePushInterval == .seconds(15))
        #expect(settings.webhookMaxBody == .mebibytes(4))
        #expect(settings.maxSeries == 150_000)
        #expect(settings.organizationSource == .fixed)
        #expect(settings.destinations.isEmpty)
        #expect(settings.regionLabel == "local")
        #expect(!settings.isRetentionSet)
    }

    @Test func `all problems are named at once, each with what was expected`() {
        let (_, problems, _) = read([
            "LIVEKIT_API_SECRET": "", "PUSH_INTERVAL": "soon", "WEBHOOK_MAX_BODY": "4 apples", "QUEUE_SIZE": "0",
            "ORG_SOURCE": "guess", "GRAFANA_PROM_REMOTE_WRITE_URL": "ftp://x", "ENVIRONMENT": "e", "REGION": "r",
            "HISTOGRAM_LONG_BUCKETS": "maybe",
        ])
        #expect(
            problems == [
                "LIVEKIT_API_SECRET: required with LIVEKIT_API_KEY",
                "WEBHOOK_MAX_BODY: expected a size such as 512KiB, 4MiB or 1GiB, from 1KiB to 64MiB, got \"4 apples\"",
                "QUEUE_SIZE: expected a whole number from 1 to 1000000, got \"0\"",
                "HISTOGRAM_LONG_BUCKETS: expected true or false, got \"maybe\"",
                "ORG_SOURCE: expected one of fixed, room-name, metadata, database, got \"guess\"",
                "GRAFANA_PROM_REMOTE_WRITE_URL: expected a URL such as https://host/api/prom/push",
                "PUSH_INTERVAL: expected a duration such as 500ms, 15s, 1m30s, 1h or 90d, from 100ms to 4m, "
                    + "got \"soon\"",
            ])
    }

    @Test func `pushing needs environment and region`() {
        let (_, problems, _) = read(["GRAFANA_PROM_REMOTE_WRITE_URL": "https://example.com/api/prom/push"])
        #expect(problems.count == 2)
        #expect(problems.contains { $0.hasPrefix("ENVIRONMENT: required") })
        #expect(problems.contains { $0.hasPrefix("REGION: required") })
    }

    @Test func `what a receiver's address may hide is not shown`() throws {
        let (settings, problems, reader) = read([
            "GRAFANA_PROM_REMOTE_WRITE_URL": "https://example.com/push?token=s3cret#part", "ENVIRONMENT": "e",
            "REGION": "r",
        ])
        #expect(problems.isEmpty)
        #expect(settings.destinations.first?.url?.exposed == "https://example.com/push?token=s3cret#part")
        let row = try #require(reader.rows.first { $0.name == "GRAFANA_PROM_REMOTE_WRITE_URL" })
        #expect(row.effective == "https://example.com/push?••••")
    }

    @Test func `the idle interval follows the push interval and is never below it`() {
        #expect(read(["PUSH_INTERVAL": "30s"]).settings.idlePushInterval == .seconds(30))
        #expect(read(["IDLE_PUSH_INTERVAL": "60s"]).settings.idlePushInterval == .seconds(60))
        #expect(read(["IDLE_PUSH_INTERVAL": "5s"]).problems.count == 1)
        #expect(read(["IDLE_PUSH_INTERVAL": "5m"]).problems.count == 1)
    }

    @Test func `polls have an interval that LiveKit bears, and need its address`() {
        let url = ["LIVEKIT_URL": "wss://livekit.example.com"]
        #expect(read(url).settings.polls && read(url).settings.reconcileInterval == .seconds(60))
        for (interval, polls) in [("0", false), ("100ms", true), ("1h", true)] {
            let read = read(url.merging(["RECONCILE_INTERVAL": interval]) { $1 })
            #expect(read.problems == [] && read.settings.polls == polls, "\(interval)")
        }
        for interval in ["1ms", "99ms", "2h", "abc"] {
            #expect(read(["RECONCILE_INTERVAL": interval]).problems.count == 1, "\(interval)")
        }
        #expect(!read([:]).settings.polls)
    }

    @Test(
        arguments: [
            ("0", 0), ("1MiB", 1 << 20), ("256MiB", 256 << 20), ("1TiB", 1 << 40),
        ] as [(String, Int)])
    func `a spool has room for something, or is switched off`(text: String, bytes: Int) {
        let (settings, problems, _) = read(["SPOOL_MAX_BYTES": text])
        #expect(problems.isEmpty && settings.spoolMaxBytes.bytes == bytes)
    }

    @Test(
        arguments: [
            ("SPOOL_MAX_BYTES", "1023KiB"), ("SPOOL_MAX_BYTES", "2TiB"), ("SPOOL_MAX_BYTES", "much"),
            ("SPOOL_MAX_AGE", "59s"), ("SPOOL_MAX_AGE", "31d"), ("SPOOL_MAX_AGE", "0"),
        ] as [(String, String)])
    func `bounds of a spool that make no sense are refused`(name: String, text: String) {
        let (settings, problems, _) = read([name: text])
        #expect(problems.count == 1 && problems[0].hasPrefix("\(name): expected "), "\(problems)")
        #expect(problems.allSatisfy { $0.hasSuffix("got \"\(text)\"") })
        #expect(settings.spoolMaxBytes == .mebibytes(256) && settings.spoolMaxAge == .seconds(7_200))
    }

    private let log = ["JOURNAL_URL": "postgres://u:pw@db-1,db-2/log?target_session_attrs=read-write"]

    @Test(arguments: [nil, "sqlite:/var/lib/lkpush/office.db"])
    func `replicas need a database that all of them see`(database: String?) {
        let changes = database.map { ["DATABASE_URL": $0] } ?? [:]
        let (_, problems, _) = read(log.merging(changes) { $1 })
        #expect(
            problems == [
                "DATABASE_URL: expected postgres://… with JOURNAL_URL, because a file would be another one on each replica"
            ])
        #expect(read(changes).problems == [], "one process may have a file")
        let shared = read(log.merging(["DATABASE_URL": "postgres://u:pw@db/app"]) { $1 })
        #expect(shared.problems == [] && shared.reader.warnings == [])
    }

    @Test func `replicas that keep nothing in their folders are told what that costs`() {
        let memory = ["DURABILITY": "memory", "DATABASE_URL": "postgres://u:pw@db/app"]
        let (_, problems, reader) = read(log.merging(memory) { $1 })
        #expect(problems == [])
        #expect(reader.warnings.count == 1 && reader.warnings[0].hasPrefix("DURABILITY=memory with JOURNAL_URL: "))
        #expect(read(memory).reader.warnings == [], "without a shared journal that is what it says")
    }

    @Test func `a database changes how organizations are found, unless told otherwise`() {
        #expect(read(["DATABASE_URL": "sqlite:/tmp/x.db"]).settings.organizationSource == .database)
        #expect(
            read(["DATABASE_URL": "sqlite:/tmp/x.db", "ORG_SOURCE": "fixed"]).settings.organizationSource == .fixed)
    }

    @Test(
        arguments: [
            ["ORG_SOURCE": "room-name"], ["ORG_SOURCE": "room-name", "ORG_ROOM_PATTERN": "^(?<org>"],
            ["ORG_SOURCE": "room-name", "ORG_ROOM_PATTERN": "^(?<name>.*)$"], ["ORG_SOURCE": "metadata"],
            ["ORG_LOOKUP_SQL": "SELECT 1"], ["GRAFANA_PROM_USERNAME": "7"], ["GRAFANA_API_KEY": "k"],
            ["EXTERNAL_LABELS": "9x=1"], ["EXTERNAL_LABELS": "__x=1"], ["EXTERNAL_LABELS": "a=1,a=2"],
            ["EXTERNAL_LABELS": "a"], ["REMOTE_WRITE_HEADERS": "Authorization=x"],
            ["REMOTE_WRITE_HEADERS": "X-Prometheus-Remote-Write-Version=2"],
            ["REMOTE_WRITE_TLS_CERT_FILE": "/etc/hostname"],
            ["REMOTE_WRITE_TLS_CA_FILE": "/no/such/file"], ["REMOTE_WRITE_MAX_BACKOFF": "100ms"],
            ["LIVEKIT_KEYS_FILE": "/no/such/file"], ["LISTEN": "3001"], ["METRICS_LISTEN": "127.0.0.1:x"],
            ["DATABASE_URL": "mysql://x"], ["DATABASE_URL": "postgres://u@h:x/db"],
            ["DATABASE_URL": "postgres://u:p@p@h/db"], ["DATABASE_URL": "sqlite:"],
            ["METRICS_EXCLUDE": ","], ["METRICS_EXCLUDE": "lk_*,{a}"], ["METRICS_EXCLUDE": "lk_[ab"],
            ["REMOTE_WRITE_MESSAGE": "3.0"], ["LOG_LEVEL": "loud"], ["SINGLE_SESSION": "true"],
            ["SINGLE_SESSION": "true", "LIVEKIT_URL": "livekit.example.com"], ["LIVEKIT_URL": "ftp://host"],
            ["LIVEKIT_URL": "wss://user:hunter2@host"], ["LIVEKIT_URL": "wss://host/?token=x"],
            ["LIVEKIT_URL": "wss:///"],
        ] as [[String: String]])
    func `what cannot work is refused before anything starts`(changes: [String: String]) {
        #expect(read(changes).problems.count == 1, "\(changes)")
    }

    @Test(
        arguments: [
            ("wss://host", "https://host"), ("ws://host:7880/", "http://host:7880"), ("WSS://host", "https://host"),
            ("https://host/livekit//", "https://host/livekit"), ("http://127.0.0.1:7880", "http://127.0.0.1:7880"),
        ] as [(String, String)])
    func `LiveKit's address may be the one that clients are given`(given: String, expected: String) {
        let (settings, problems, _) = read(["SINGLE_SESSION": "true", "LIVEKIT_URL": given])
        #expect(problems.isEmpty)
        #expect(settings.singleSession)
        #expect(settings.liveKitURL == expected)
    }

    @Test func `nobody is removed unless that is wanted, and it names what it needs`() {
        #expect(!read(["LIVEKIT_URL": "wss://host"]).settings.singleSession)
        #expect(
            read(["SINGLE_SESSION": "true"]).problems
                == ["LIVEKIT_URL: required with SINGLE_SESSION=true, such as wss://livekit.example.com"])
        let (_, problems, reader) = read(["LIVEKIT_URL": "wss://user:hunter2@host"])
        #expect(!problems.joined().contains("hunter2"))
        #expect(!reader.rows.contains { $0.effective.contains("hunter2") })
    }

    @Test func `metrics are left out by globs between commas, with blanks as people write them`() {
        let (settings, problems, _) = read(["METRICS_EXCLUDE": " lkpush_http_* ,, process_?pu* ,"])
        #expect(problems.isEmpty)
        #expect(settings.metricsExclude == ["lkpush_http_*", "process_?pu*"])
        #expect(read([:]).settings.metricsExclude.isEmpty)
        let faults = read(["METRICS_EXCLUDE": "lk room,lk_*,x]"]).problems
        #expect(faults.count == 2 && faults[1].hasPrefix("METRICS_EXCLUDE: \"x]\" holds ];"), "\(faults)")
    }

    @Test func `a secret may come from a file, and not from both`() throws {
        let folder = TemporaryFolder()
        try FileStore.replace(folder.file("secret"), with: Array("  from a file\n".utf8))
        let (settings, problems, _) = read([
            "GRAFANA_PROM_USERNAME": "7", "GRAFANA_API_KEY_FILE": folder.file("secret"), "ENVIRONMENT": "e",
            "GRAFANA_PROM_REMOTE_WRITE_URL": "https://host/", "REGION": "r",
        ])
        #expect(problems.isEmpty)
        #expect(try settings.destinations.first?.password?.read() == Secret("from a file"))
        #expect(
            read(["LIVEKIT_API_SECRET_FILE": folder.file("secret")]).problems
                == ["LIVEKIT_API_SECRET and LIVEKIT_API_SECRET_FILE are both set: give one"])
        #expect(read(["DATABASE_URL_FILE": folder.file("absent")]).problems.count == 1)
    }

    @Test func `no printed row shows a secret`() {
        let (_, problems, reader) = read([
            "GRAFANA_PROM_USERNAME": "7", "GRAFANA_API_KEY": "hunter2", "LIVEKIT_API_SECRET": "hunter2",
            "REMOTE_WRITE_HEADERS": "X-Token=hunter2",
            "GRAFANA_PROM_REMOTE_WRITE_URL": "https://u:hunter2@host/", "REGION": "eu", "ENVIRONMENT": "prod",
        ])
        #expect(problems.count == 1)
        for text in problems + reader.rows.filter({ $0.name != "GRAFANA_PROM_REMOTE_WRITE_URL" }).map(\.effective) {
            #expect(!text.contains("hunter2"), "\(text)")
        }
    }

    @Test(
        arguments: [
            ("500ms", 500), ("15s", 15_000), ("10m", 600_000), ("1h", 3_600_000), ("90d", 7_776_000_000), ("0", 0),
        ] as [(String, Int64)])
    func `durations are read with their unit, and written back`(text: String, milliseconds: Int64) {
        #expect(UnitText.duration(text) == .milliseconds(milliseconds))
        #expect(text == "0" || UnitText.text(.milliseconds(milliseconds)) == text)
    }

    @Test(
        arguments: [
            ("1m30s", 90_000), ("1h30m", 5_400_000), ("2d12h", 216_000_000), ("1s500ms", 1_500),
            ("1d1h1m1s1ms", 90_061_001),
        ] as [(String, Int64)])
    func `a duration may have several units, from the largest down`(text: String, milliseconds: Int64) {
        #expect(UnitText.duration(text) == .milliseconds(milliseconds))
    }

    @Test(
        arguments: [
            (0, "0 B", "0"), (999, "999 B", "999"), (10_239, "10239 B", "10,239"), (10_240, "10 KiB", "10,240"),
            (10 << 20, "10 MiB", "10,485,760"), ((10 << 30) - 1, "10239 MiB", "10,737,418,239"),
            (3 << 42, "12 TiB", "13,194,139,533,312"),
        ] as [(Int, String, String)])
    func `sizes and numbers are written for people`(bytes: Int, size: String, number: String) {
        #expect(UnitText.rough(ByteCount(bytes)) == size)
        #expect(UnitText.grouped(bytes) == number && UnitText.grouped(-1_234) == "-1,234")
    }

    @Test(
        arguments: [
            ("0", 0), ("100B", 100), ("512KiB", 524_288), ("4MiB", 4_194_304), ("1GiB", 1_073_741_824),
        ] as [(String, Int)])
    func `sizes are read with their unit`(text: String, bytes: Int) {
        #expect(UnitText.size(text) == ByteCount(bytes))
    }

    @Test(arguments: ["30s1m", "1m1m", "1m 30s", "1m30", "m30s", "1h-5m", "106751991167d9223372036854775807ms"])
    func `a duration of several units has each once and in order`(text: String) {
        #expect(UnitText.duration(text) == nil)
    }

    @Test func `enumerations are read in any case and shown as they are written here`() throws {
        let (settings, problems, reader) = read([
            "LOG_LEVEL": "WARNING", "LOG_FORMAT": "Text", "ORG_SOURCE": "Fixed", "DURABILITY": "MEMORY",
            "REMOTE_WRITE_MESSAGE": "AUTO", "HISTOGRAM_LONG_BUCKETS": "FALSE",
        ])
        #expect(problems == [])
        #expect(settings.logLevel == .warning && settings.logFormat == .text && settings.durability == .memory)
        #expect(settings.organizationSource == .fixed && !settings.longBuckets)
        #expect(reader.rows.first { $0.name == "LOG_LEVEL" }?.effective == "warning")
    }

    @Test func `histograms have long buckets unless told otherwise`() {
        #expect(read([:]).settings.longBuckets)
    }

    @Test func `lines are for people on a terminal, and for programs elsewhere`() {
        func format(_ changes: [String: String], isTerminal: Bool) -> Log.Format {
            var reader = SettingsReader(required.merging(changes) { $1 }, isTerminal: isTerminal)
            return Settings(&reader).logFormat
        }
        #expect(format([:], isTerminal: false) == .json)
        #expect(format([:], isTerminal: true) == .text)
        #expect(format(["LOG_FORMAT": "json"], isTerminal: true) == .json)
    }

    @Test(arguments: ["15", "s", "-1s", "1.5s", "1 s", "1S", "99999999999999999999s", "9223372036854775807d", ""])
    func `a duration without a known unit is none`(text: String) {
        #expect(UnitText.duration(text) == nil)
        #expect(UnitText.size(text) == nil)
    }

    @Test func `every setting is listed once, with a sentence`() {
        let rows = read([:]).reader.rows
        #expect(Set(rows.map(\.name)).count == rows.count)
        for row in rows { #expect(row.help.hasSuffix("."), "\(row.name)") }
        for row in rows { #expect(HelpText.settings.contains("  \(row.name)"), "\(row.name)") }
    }
}
