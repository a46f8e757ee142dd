import Exporter
import Platform
import TestSupport
import Testing

/// Values and names in the form that tools leave: with blanks, line ends and invisible characters.
@Suite struct SettingTextTests {
    private static let required = [
        "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret", "GRAFANA_PROM_REMOTE_WRITE_URL": "https://host/push",
        "ENVIRONMENT": "prod", "REGION": "eu",
    ]
    private let folder = TemporaryFolder()

    private func read(_ changes: [String: String]) -> (settings: Settings, reader: SettingsReader) {
        var reader = SettingsReader(Self.required.merging(changes) { $1 })
        let settings = Settings(&reader)
        return (settings, reader)
    }

    // MARK: Around a value

    @Test(
        arguments: ["\n", " ", "\r\n", "\t", "\u{A0}", "\u{200B}", "\u{FEFF}", " \n\u{2003}"]
            as [String])
    func `what is around a value is left out, with a warning`(_ rest: String) throws {
        let changes = [
            "LIVEKIT_API_KEY": "key" + rest, "LIVEKIT_API_SECRET": "hunter2" + rest, "ENVIRONMENT": rest + "prod",
            "REMOTE_WRITE_BEARER_TOKEN": "token" + rest, "JOB": "job" + rest, "INSTANCE": "one" + rest,
            "LIVEKIT_URL": rest + "wss://host" + rest, "PUSH_INTERVAL": "30s" + rest, "LOG_LEVEL": "debug" + rest,
            "EXTERNAL_LABELS": "a=b" + rest, "REMOTE_WRITE_HEADERS": "X-Scope-OrgID=tenant" + rest,
            "DATABASE_URL": "sqlite:/tmp/x.db" + rest,
        ]
        let (settings, reader) = read(changes)
        #expect(reader.problems == [])
        #expect(try settings.liveKitKeys.read() == [KeyPair(key: "key", secret: Secret("hunter2"))])
        #expect(settings.environment == "prod" && settings.job == "job" && settings.instance == "one")
        #expect(try settings.destinations.first?.bearerToken?.read() == Secret("token"))
        #expect(settings.liveKitURL == "https://host" && settings.pushInterval == .seconds(30))
        #expect(settings.logLevel == .debug && settings.externalLabels.map(\.value) == ["b"])
        #expect(try settings.destinations.first?.headers?.read() == Secret("X-Scope-OrgID=tenant"))
        #expect(try settings.databaseLocation() == "sqlite:/tmp/x.db")
        #expect(reader.warnings.count == changes.count)
        for name in changes.keys {
            #expect(reader.warnings.count { $0.hasPrefix("\(name): blanks or line ends around its value") } == 1)
        }
        #expect(!reader.warnings.joined().contains("hunter2"))
    }

    @Test func `nothing is said of what is as it should be, nor of what is somebody else's`() {
        let (_, reader) = read(["JOB": "two words", "PATH": " /bin ", "SOMETHING\u{A0}": "x\n"])
        #expect(reader.problems == [] && reader.warnings == [])
    }

    @Test(arguments: ["REMOTE_WRITE_BEARER_TOKEN", "LIVEKIT_API_SECRET", "INSTANCE", "GRAFANA_PROM_REMOTE_WRITE_URL"])
    func `a value of nothing but blanks is no value, and not none either`(_ name: String) {
        let problems = read([name: " \n"]).reader.problems
        #expect(problems.contains("\(name): holds nothing but blanks; give a value, or leave it out"))
    }

    // MARK: Within a value

    @Test(
        arguments: [
            "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_URL", "LIVEKIT_PROJECT", "DATABASE_URL",
            "GRAFANA_PROM_REMOTE_WRITE_URL", "REMOTE_WRITE_BEARER_TOKEN", "REMOTE_WRITE_HEADERS", "ENVIRONMENT",
            "REGION", "SERVICE", "JOB", "INSTANCE", "EXTERNAL_LABELS", "ORG_ID", "STATE_DIR", "LISTEN",
        ], ["\n", "\r", "\u{0}", "\u{1B}", "\u{7F}", "\u{85}", "\u{2028}", "\u{FFFD}"])
    func `control characters and line ends within a value are refused, and shown to nobody`(
        _ name: String, _ character: String
    ) {
        let (_, reader) = read([name: "hun\(character)ter2"])
        let mine = reader.problems.filter { $0.hasPrefix("\(name): ") }
        #expect(mine.count == 1, "\(reader.problems)")
        for text in reader.problems + reader.warnings { #expect(!text.contains("ter2"), "\(text)") }
    }

    @Test(
        arguments: ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "REMOTE_WRITE_BEARER_TOKEN", "LIVEKIT_URL"],
        ["\u{200B}", "\u{FEFF}", "\u{A0}", "\u{202E}", "\t"])
    func `what is invisible within keys and secrets is refused with its number`(_ name: String, _ character: String) {
        let problems = read([name: "wss://a\(character)b"]).reader.problems.filter { $0.hasPrefix("\(name): ") }
        #expect(problems.count == 1)
        #expect(problems[0].contains("invisible character (U+") || problems[0].contains("tab"))
    }

    @Test func `a query and a pattern may have lines`() {
        let sql = "SELECT org_id, org_name,\n  monthly_recording_minutes, organization_pk\nFROM x WHERE name = :room"
        let (settings, reader) = read(["ORG_LOOKUP_SQL": sql])
        #expect(reader.problems == [] && settings.organizationLookupSQL == sql)
        #expect(read(["ORG_LOOKUP_SQL": sql + "\u{1B}[0m\n;x"]).reader.problems.count == 1)
    }

    @Test func `the word Bearer, and a colon in a user's name, cannot be right`() {
        #expect(
            read(["REMOTE_WRITE_BEARER_TOKEN": "Bearer hunter2"]).reader.problems
                == ["REMOTE_WRITE_BEARER_TOKEN: holds a blank; give the token alone, without the word Bearer"])
        let problems = read(["GRAFANA_PROM_USERNAME": "1:hunter2", "GRAFANA_API_KEY": "k"]).reader.problems
        #expect(
            problems == ["GRAFANA_PROM_USERNAME: holds a colon, which no user name of basic authentication may"])
    }

    @Test func `a name that is no header's is not repeated: it may be a part of a secret`() {
        for text in ["X-Token: hunter2=x", "hunter2", "hun ter2=x", "X-A=1,X-A=2"] {
            let problems = read(["REMOTE_WRITE_HEADERS": text]).reader.problems
            #expect(problems.count == 1 && !problems[0].contains("hunter2"), "\(problems)")
        }
    }

    // MARK: Files of secrets

    private func secret(_ bytes: [UInt8]) throws -> SecretSource {
        try FileStore.replace(folder.file("secret"), with: bytes)
        return .file(folder.file("secret"))
    }

    @Test func `a secret's file may have a byte order mark and any line end`() throws {
        for text in ["\u{FEFF}hunter2", "\u{FEFF}hunter2\r\n", "hunter2\u{200B}\n\n", "\r\n hunter2 \u{A0}"] {
            #expect(try secret(Array(text.utf8)).read() == Secret("hunter2"))
        }
    }

    @Test func `a secret's file that is no text of one line is refused with its line`() throws {
        let utf16 = "hunter2\n".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let cases: [(bytes: [UInt8], message: String)] = [
            ([0xFF, 0xFE] + utf16, "line 1: the file is UTF-16; save it as UTF-8"),
            (utf16, "line 1: a zero byte: the file is UTF-16 or no text; save it as UTF-8"),
            (Array("hunter2\nmore".utf8), "line 1: holds a line end; give one line"),
            (Array("\n\nhun\u{1B}ter2".utf8), "line 3: holds a control character (code 27); give it without"),
            (Array("hun\u{200B}ter2".utf8), "line 1: holds an invisible character (U+200B); give it without"),
            (Array("\nhun".utf8) + [0xE4, 0x74], "line 2: bytes that are no UTF-8; save the file as UTF-8"),
        ]
        for (bytes, message) in cases {
            let source = try secret(bytes)
            let fault = #expect(throws: SecretSource.SecretError.self) { try source.read() }
            #expect(fault?.description == "\(folder.file("secret")) \(message)")
            let problems = read(["LIVEKIT_API_SECRET": "", "LIVEKIT_API_SECRET_FILE": folder.file("secret")])
                .reader.problems
            #expect(problems == ["LIVEKIT_API_SECRET_FILE: \(folder.file("secret")) \(message)"])
        }
        #expect(throws: SecretSource.SecretError.self) { try secret(Array(" \n\u{FEFF}".utf8)).read() }
    }

    @Test func `headers come from a file as every secret does, and not from both`() throws {
        try FileStore.replace(folder.file("headers"), with: Array("X-Scope-OrgID=tenant\n".utf8))
        let file = ["REMOTE_WRITE_HEADERS_FILE": folder.file("headers")]
        let (settings, reader) = read(file)
        #expect(reader.problems == [] && settings.destinations.first?.headers == .file(folder.file("headers")))
        #expect(
            read(file.merging(["REMOTE_WRITE_HEADERS": "a=b"]) { $1 }).reader.problems
                == ["REMOTE_WRITE_HEADERS and REMOTE_WRITE_HEADERS_FILE are both set: give one"])
        try FileStore.replace(folder.file("headers"), with: Array("Authorization=hunter2\n".utf8))
        #expect(
            read(file).reader.problems
                == ["REMOTE_WRITE_HEADERS: Authorization is malformed, or a header that lkpush sets itself"])
    }
}
