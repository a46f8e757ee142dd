import Exporter
import HTTPClient
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// `default` and the destinations of `REMOTE_WRITE_DESTINATIONS`.
@Suite struct DestinationTests {
    private let folder = TemporaryFolder()
    private let required = [
        "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret", "ENVIRONMENT": "e", "REGION": "r",
    ]

    private static let standard = ["GRAFANA_PROM_REMOTE_WRITE_URL": "https://one.example/push"]
    private static let euURL = "REMOTE_WRITE_DESTINATION_EU_URL"
    private static let eu = ["REMOTE_WRITE_DESTINATIONS": "eu", euURL: "https://eu.example/push"]

    private func read(_ changes: [String: String]...) -> (settings: Settings, reader: SettingsReader) {
        var environment = required
        environment["STATE_DIR"] = folder.path
        for change in changes { environment.merge(change) { $1 } }
        var reader = SettingsReader(environment)
        let settings = Settings(&reader)
        return (settings, reader)
    }

    private func shippers(_ changes: [String: String]...) throws -> [ShipperSettings] {
        var all: [String: String] = [:]
        for change in changes { all.merge(change) { $1 } }
        let (settings, reader) = read(all)
        #expect(reader.problems.isEmpty, "\(reader.problems)")
        return try settings.destinations(instance: "instance")
    }

    private func own(_ rest: String, _ value: String) -> [String: String] {
        ["REMOTE_WRITE_DESTINATION_EU_\(rest)": value]
    }

    // MARK: What they are

    @Test func `default comes first if it has an address, and the others in the order of the list`() throws {
        #expect(try shippers([:]).isEmpty)
        #expect(try shippers(Self.standard).map(\.destination) == ["default"])
        #expect(try shippers(Self.eu).map(\.destination) == ["eu"])
        let three = [
            "REMOTE_WRITE_DESTINATIONS": " eu, archive ,", "REMOTE_WRITE_DESTINATION_ARCHIVE_URL": "http://a.example/",
        ]
        let all = try shippers(Self.standard, Self.eu, three)
        #expect(all.map(\.destination) == ["default", "eu", "archive"])
        #expect(
            all.map(\.url.description) == ["https://one.example/push", "https://eu.example/push", "http://a.example/"])
        #expect(
            all.map(\.variables.url) == [
                "GRAFANA_PROM_REMOTE_WRITE_URL", Self.euURL, "REMOTE_WRITE_DESTINATION_ARCHIVE_URL",
            ])
        #expect(all.map(\.remoteName) == ["lkpush", "eu", "archive"])
        #expect(all.allSatisfy { $0.labels == all[0].labels && $0.spool == all[0].spool })
    }

    @Test func `what is not set is as for default, and nothing that says who sends goes to another`() throws {
        let file = folder.file("pem")
        try FileStore.replace(file, with: Array("pem".utf8))
        let standard = [
            "GRAFANA_PROM_USERNAME": "7", "GRAFANA_API_KEY": "hunter2", "REMOTE_WRITE_HEADERS": "X-Scope-OrgID=mine",
            "REMOTE_WRITE_MESSAGE": "1.0", "REMOTE_WRITE_TLS_CA_FILE": file, "REMOTE_WRITE_TLS_CERT_FILE": file,
            "REMOTE_WRITE_TLS_KEY_FILE": file, "REMOTE_WRITE_TIMEOUT": "7s", "METRICS_EXCLUDE": "process_*",
        ]
        let all = try shippers(Self.standard, standard, Self.eu)
        #expect(all.count == 2)
        let (first, eu) = (all[0], all[1])
        guard case .basic(user: "7", _) = first.credentials, case .none = eu.credentials else {
            Issue.record("credentials went to another: \(first.credentials), \(eu.credentials)")
            return
        }
        #expect(first.headers.count == 1 && eu.headers.isEmpty && eu.headersFile == nil)
        #expect(first.certificateFile == file && eu.certificateFile == nil && eu.keyFile == nil)
        #expect(eu.delivery.message == .v1 && eu.authorityFile == file && eu.timeout == .seconds(7))
        #expect(eu.delivery == first.delivery && eu.selection == first.selection)
    }

    @Test func `a destination has its own of everything`() throws {
        let (pem, token) = (folder.file("pem"), folder.file("token"))
        for path in [pem, token] { try FileStore.replace(path, with: Array("text".utf8)) }
        let eu = try #require(
            try shippers(
                Self.standard, ["REMOTE_WRITE_MESSAGE": "1.0", "METRICS_EXCLUDE": "process_*"], Self.eu,
                own("BEARER_TOKEN_FILE", token), own("HEADERS", "X-Scope-OrgID=theirs"), own("MESSAGE", "AUTO"),
                own("INCLUDE", "lk_*, up"), own("EXCLUDE", "lk_room_*"), own("TLS_CA_FILE", pem),
                own("TLS_CERT_FILE", pem), own("TLS_KEY_FILE", pem)
            ).last)
        guard case .bearer(.file(token)) = eu.credentials else {
            Issue.record("\(eu.credentials)")
            return
        }
        #expect(eu.headers.map(\.value) == ["theirs"] && eu.delivery.message == .auto)
        #expect(eu.authorityFile == pem && eu.certificateFile == pem && eu.keyFile == pem)
        #expect(
            eu.selection == FamilySelection(including: ["lk_*", "up"], excluding: ["process_*", "lk_room_*"]))
        let basic = try shippers(Self.eu, own("USERNAME", "8"), own("PASSWORD", "p"))
        guard case .basic(user: "8", .value(Secret("p"))) = basic[0].credentials else {
            Issue.record("\(basic[0].credentials)")
            return
        }
    }

    @Test func `the spool is in the folder of the state, or there is none`() throws {
        let usual = try shippers(Self.eu)[0].spool
        #expect(usual == SpoolSettings(directory: folder.path, maxBytes: .mebibytes(256), maxAge: .seconds(7_200)))
        let changed = try shippers(Self.eu, ["SPOOL_MAX_BYTES": "1MiB", "SPOOL_MAX_AGE": "1m"])[0].spool
        #expect(changed == SpoolSettings(directory: folder.path, maxBytes: .mebibytes(1), maxAge: .seconds(60)))
        #expect(try shippers(Self.eu, ["SPOOL_MAX_BYTES": "0"])[0].spool == nil)
    }

    // MARK: What is refused

    @Test(
        arguments: [
            ("Eu", "is no name of a destination"), ("1a", "is no name of a destination"),
            ("a-b", "is no name of a destination"), ("é", "is no name of a destination"),
            ("default", "is the name of the destination that GRAFANA_PROM_REMOTE_WRITE_URL makes"),
            ("a23456789012345678901234567890123", "is longer than 32 characters"),
        ] as [(String, String)])
    func `a name that cannot be used is told, and its variables are not guessed at`(name: String, words: String) {
        let reader = read(
            Self.eu, ["REMOTE_WRITE_DESTINATIONS": "eu,\(name)", "REMOTE_WRITE_DESTINATION_A_URL": "https://a/"]
        ).reader
        #expect(reader.problems.count == 1, "\(reader.problems)")
        #expect(reader.problems[0].hasPrefix("REMOTE_WRITE_DESTINATIONS: \"\(name)\" \(words)"), "\(reader.problems)")
    }

    @Test func `a list is not empty, has each name once, and has an end`() {
        let empty = read(["REMOTE_WRITE_DESTINATIONS": ","]).reader.problems
        #expect(empty == ["REMOTE_WRITE_DESTINATIONS: expected names such as eu,archive, got \",\""])
        let twice = read(Self.eu, ["REMOTE_WRITE_DESTINATIONS": "eu,eu"]).reader.problems
        #expect(twice == ["REMOTE_WRITE_DESTINATIONS: \"eu\" is there twice; give each name once"])
        let names = (1...17).map { "d\($0)" }
        let many = Dictionary(
            uniqueKeysWithValues: names.map { ("REMOTE_WRITE_DESTINATION_\($0.uppercased())_URL", "https://\($0)/") })
        let problems = read(many, ["REMOTE_WRITE_DESTINATIONS": names.joined(separator: ",")]).reader.problems
        #expect(problems == ["REMOTE_WRITE_DESTINATIONS: has 17 names; at most 16 are possible"])
        let most = names.dropLast().joined(separator: ",")
        #expect(
            read(many.filter { !$0.key.contains("D17") }, ["REMOTE_WRITE_DESTINATIONS": most]).reader.problems == [])
    }

    @Test func `every destination is read with the rules of default, and names its own variables`() {
        let rules = [
            ("URL", "ftp://hunter2"), ("URL", "https://u:hunter2@host/"), ("USERNAME", "7"), ("PASSWORD", "hunter2"),
            ("HEADERS", "Authorization=hunter2"), ("HEADERS", "hunter2"), ("BEARER_TOKEN", "Bearer hunter2"),
            ("MESSAGE", "3.0"), ("TLS_CA_FILE", "/no/such/file"), ("TLS_CERT_FILE", "/etc/hostname"),
            ("BEARER_TOKEN_FILE", "/no/such/file"), ("USERNAME", " "),
        ]
        let ofStandard = [
            "URL": "GRAFANA_PROM_REMOTE_WRITE_URL", "USERNAME": "GRAFANA_PROM_USERNAME", "PASSWORD": "GRAFANA_API_KEY",
        ]
        for (rest, value) in rules {
            let name = ofStandard[rest] ?? "REMOTE_WRITE_\(rest)"
            let first = read(Self.standard, [name: value]).reader.problems
            let other = read(Self.eu, own(rest, value)).reader.problems
            #expect(first.count == 1 && first[0].contains(name), "\(rest): \(first)")
            // The words are the same but for the names of the variables.
            let renamed = other.map { problem in
                ofStandard.reduce(problem) { $0.replacing("REMOTE_WRITE_DESTINATION_EU_\($1.key)", with: $1.value) }
                    .replacing("REMOTE_WRITE_DESTINATION_EU_", with: "REMOTE_WRITE_")
            }
            #expect(renamed == first, "\(rest): \(other)")
            #expect(!(first + other).joined().contains("hunter2"))
        }
        let globs = read(Self.eu, own("INCLUDE", "lk_[a"), own("EXCLUDE", "{x}")).reader.problems
        #expect(
            globs == [
                "REMOTE_WRITE_DESTINATION_EU_INCLUDE: \"lk_[a\" is no glob: [ without a ]",
                "REMOTE_WRITE_DESTINATION_EU_EXCLUDE: \"{x}\" holds {; a glob has letters, digits, _, :, *, ? and [...]",
            ])
    }

    @Test func `all problems of all destinations are told at once`() {
        let problems = read(
            ["REMOTE_WRITE_DESTINATIONS": "eu,archive", "ENVIRONMENT": "", "GRAFANA_PROM_REMOTE_WRITE_URL": "x"],
            own("USERNAME", "7"), ["REMOTE_WRITE_DESTINATION_ARCHIVE_MESSAGE": "2"]
        ).reader.problems
        #expect(
            problems == [
                "GRAFANA_PROM_REMOTE_WRITE_URL: expected a URL such as https://host/api/prom/push",
                "REMOTE_WRITE_DESTINATION_EU_URL: required with eu in REMOTE_WRITE_DESTINATIONS, such as "
                    + "https://host/api/v1/push",
                "REMOTE_WRITE_DESTINATION_EU_USERNAME and REMOTE_WRITE_DESTINATION_EU_PASSWORD: give both or none",
                "REMOTE_WRITE_DESTINATION_ARCHIVE_URL: required with archive in REMOTE_WRITE_DESTINATIONS, such as "
                    + "https://host/api/v1/push",
                "REMOTE_WRITE_DESTINATION_ARCHIVE_MESSAGE: expected one of auto, 1.0, 2.0, got \"2\"",
                "ENVIRONMENT: required when GRAFANA_PROM_REMOTE_WRITE_URL is set, such as \"prod\" or \"eu\"",
            ])
        let alone = read(Self.eu, ["REGION": ""]).reader.problems
        #expect(alone == ["REGION: required when REMOTE_WRITE_DESTINATIONS is set, such as \"prod\" or \"eu\""])
    }

    @Test(
        arguments: [
            ("REMOTE_WRITE_DESTINATION_EU_XXX", "no such setting; is REMOTE_WRITE_DESTINATION_EU_URL meant?"),
            ("REMOTE_WRITE_DESTINATION_EU_PASWORD", "no such setting; is REMOTE_WRITE_DESTINATION_EU_PASSWORD meant?"),
            ("REMOTE_WRITE_DESTINATION_eu_URL", "no such setting; is REMOTE_WRITE_DESTINATION_EU_URL meant?"),
            (
                "REMOTE_WRITE_DESTINATION_EU_HEADERS_FIL",
                "no such setting; is REMOTE_WRITE_DESTINATION_EU_HEADERS_FILE meant?"
            ),
            (
                "REMOTE_WRITE_DESTINATION_UE_URL",
                "REMOTE_WRITE_DESTINATIONS has no ue; add it, or is REMOTE_WRITE_DESTINATION_EU_URL meant?"
            ),
            (
                "REMOTE_WRITE_DESTINATION_DEFAULT_URL",
                "the destination default has names of its own, such as GRAFANA_PROM_REMOTE_WRITE_URL; see lkpush help"
            ),
            ("REMOTE_WRITE_DESTINATION_URL", "no such setting; is REMOTE_WRITE_DESTINATION_EU_URL meant?"),
            ("REMOTE_WRITE_DESTINATION", "no such setting; is REMOTE_WRITE_DESTINATIONS meant?"),
        ] as [(String, String)])
    func `a variable that no destination reads is an error that says what is near`(name: String, words: String) {
        #expect(read(Self.eu, [name: "hunter2"]).reader.problems == ["\(name): \(words)"])
    }

    @Test(arguments: ["eu", "portal", "service"])
    func `a variable of a destination without a list says what is missing`(destination: String) {
        // Kubernetes has variables with `_PORT` and `_SERVICE_` in their names, and not with this beginning.
        let name = "REMOTE_WRITE_DESTINATION_\(destination.uppercased())_URL"
        #expect(
            read([name: "https://eu.example/"]).reader.problems
                == ["\(name): REMOTE_WRITE_DESTINATIONS has no \(destination); add it"])
    }

    // MARK: What is warned about

    @Test func `two that push to one address as the same user or tenant are a warning`() {
        let same = [Self.euURL: "https://one.example/push"]
        func warnings(_ changes: [String: String]...) -> [String] {
            var all = Self.standard.merging(Self.eu) { $1 }.merging(same) { $1 }
            for change in changes { all.merge(change) { $1 } }
            let reader = read(all).reader
            #expect(reader.problems.isEmpty, "\(reader.problems)")
            return reader.warnings
        }
        let first = ["GRAFANA_PROM_USERNAME": "7", "GRAFANA_API_KEY": "a"]
        let second = own("USERNAME", "7").merging(own("PASSWORD", "b")) { $1 }
        #expect(
            warnings() == [
                "\(Self.euURL): default and eu push to the same address as the same user or tenant, which will refuse "
                    + "samples of one because of the other; leave one out, or give it another address, user or tenant"
            ])
        #expect(warnings(first, second).count == 1)
        #expect(warnings(first, second, own("USERNAME", "8")).isEmpty)
        #expect(warnings(first).isEmpty)
        let tenants = ["REMOTE_WRITE_HEADERS": "x-scope-orgid=a"]
        #expect(warnings(first, second, tenants, own("HEADERS", "X-Scope-OrgID=b")).isEmpty)
        #expect(warnings(first, tenants, own("HEADERS", "X-Scope-OrgID=a")).count == 1)
        let tokens = ["REMOTE_WRITE_BEARER_TOKEN": "a"]
        #expect(warnings(tokens, own("BEARER_TOKEN", "a")).count == 1)
        #expect(warnings(tokens, own("BEARER_TOKEN", "b")).isEmpty)
        #expect(warnings(own("URL", "https://one.example/push?tenant=b")).isEmpty)
    }

    @Test func `credentials of default without its address are a warning`() {
        let warnings = read(Self.eu, ["GRAFANA_PROM_USERNAME": "7", "GRAFANA_API_KEY": "hunter2"]).reader.warnings
        #expect(
            warnings == [
                "GRAFANA_PROM_REMOTE_WRITE_URL: not set, so the credentials, headers and client certificate of default "
                    + "are not used: no other destination gets them"
            ])
        #expect(read(Self.eu, ["REMOTE_WRITE_MESSAGE": "1.0"]).reader.warnings.isEmpty)
    }

    // MARK: What is shown

    @Test func `the rows of a destination show what is in effect, and no secret`() {
        let reader = read(
            Self.eu, own("URL", "https://eu.example/push?token=hunter2"), own("USERNAME", "7"),
            own("PASSWORD", "hunter2"), own("HEADERS", "X-Token=hunter2"), ["REMOTE_WRITE_MESSAGE": "1.0"]
        ).reader
        #expect(reader.problems.isEmpty)
        let rows = reader.rows.filter { $0.name.hasPrefix("REMOTE_WRITE_DESTINATION_") && !$0.effective.isEmpty }
        #expect(
            rows.map { "\($0.name)=\($0.effective)" } == [
                "REMOTE_WRITE_DESTINATION_EU_URL=https://eu.example/push?••••",
                "REMOTE_WRITE_DESTINATION_EU_USERNAME=7", "REMOTE_WRITE_DESTINATION_EU_PASSWORD=••••",
                "REMOTE_WRITE_DESTINATION_EU_HEADERS=••••", "REMOTE_WRITE_DESTINATION_EU_MESSAGE=1.0",
            ])
    }

    @Test func `the table has each variable of destinations once, with a place for the name`() {
        let rows = read(Self.eu).reader.rows
        let pattern = rows.filter(\.isPattern)
        #expect(pattern.count == 11)
        #expect(pattern.allSatisfy { $0.effective.isEmpty && $0.name.hasPrefix("REMOTE_WRITE_DESTINATION_<NAME>_") })
        let real = rows.filter { $0.name.hasPrefix("REMOTE_WRITE_DESTINATION_EU_") }
        #expect(real.map { $0.name.replacing("_EU_", with: "_<NAME>_") } == pattern.map(\.name))
        #expect(HelpText.settings.contains("  REMOTE_WRITE_DESTINATION_<NAME>_URL\n"))
    }
}
