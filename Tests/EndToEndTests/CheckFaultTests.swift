import Glibc
import Platform
import TestSupport
import Testing

/// Faults that are planted on purpose: `lkpush check` finds each, names the cure, and changes nothing.
@Suite struct CheckFaultTests {
    private let folder = TemporaryFolder()

    @Test func `a setup in order has no fault, and nothing is left behind`() throws {
        let receiver = try ScriptedReceiver(dialect: .answering204)
        let livekit = try ScriptedReceiver(otherwise: .init(200, headers: Self.json, body: #"{"rooms":[]}"#))
        let checked = CheckOutput(
            in: folder,
            [
                "GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url, "LIVEKIT_URL": "ws://127.0.0.1:\(livekit.port)",
                "ORG_ID": "acme",
            ], ["--room", "red"])
        #expect(checked.status == 0 && checked.findings.allSatisfy { $0.mark == "ok" }, "\(checked)")
        let subjects = [
            "state", "address", "descriptors", "memory", "database", "room red", "livekit", "receiver default",
        ]
        for subject in subjects { #expect(!checked.about(subject).isEmpty, "\(subject): \(checked)") }
        #expect(checked.about("room red").first?.text.hasPrefix("acme, ") == true)
        #expect(try Folder.names(folder.path).isEmpty, "no folder, lock or database is made")
        // The call is signed, and asks for the one room that no server has.
        let call = try #require(livekit.requests.first)
        #expect(call.target == "/twirp/livekit.RoomService/ListRooms")
        #expect(String(decoding: call.body, as: UTF8.self) == #"{"names":["lkpush check"]}"#)
        #expect(call.headers["authorization"]?.hasPrefix("Bearer ey") == true)
        let lists = livekit.requests.dropFirst()
        #expect(
            lists.map { "\($0.target) \(String(decoding: $0.body, as: UTF8.self))" } == [
                #"/twirp/livekit.Egress/ListEgress {"active":true}"#, "/twirp/livekit.Ingress/ListIngress {}",
            ])
        let told = checked.about("livekit").map(\.text).joined(separator: "\n")
        for words in [
            "rooms can be listed", "egress can be listed", "ingress can be listed",
            "polls are on, every 1m (RECONCILE_INTERVAL)",
        ] { #expect(told.contains(words), "\(words): \(told)") }
    }

    @Test func `a LiveKit without egress and ingress is in order`() throws {
        let livekit = try ScriptedReceiver(otherwise: .init(200, headers: Self.json, body: #"{"rooms":[]}"#))
        for (body, service) in [(#"{"active":true}"#, "egress"), ("{}", "ingress")] {
            let says = #"{"code":"internal","msg":"\#(service) not connected (redis required)"}"#
            livekit.answerOnce(.init(500, headers: Self.json, body: says)) { $0 == Array(body.utf8) }
        }
        let checked = CheckOutput(in: folder, ["LIVEKIT_URL": "ws://127.0.0.1:\(livekit.port)"])
        #expect(checked.findings.allSatisfy { $0.mark == "ok" }, "\(checked)")
        let told = checked.about("livekit").map(\.text).joined(separator: "\n")
        for service in ["egress", "ingress"] { #expect(told.contains("there is no \(service): "), "\(told)") }
    }

    @Test func `lists that nobody polls are not asked for`() throws {
        let livekit = try ScriptedReceiver(otherwise: .init(200, headers: Self.json, body: #"{"rooms":[]}"#))
        let checked = CheckOutput(
            in: folder, ["LIVEKIT_URL": "ws://127.0.0.1:\(livekit.port)", "RECONCILE_INTERVAL": "0"])
        #expect(checked.status == 0 && livekit.requests.count == 1, "\(checked)")
        #expect(
            checked.about("livekit").last?.text.contains("polls are off (RECONCILE_INTERVAL=0)") == true, "\(checked)")
    }

    @Test func `what a running lkpush keeps is as it was, also after it was killed`() throws {
        let changes = ["ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org"]
        let exporter = try RunningExporter(folder, changes)
        _ = try exporter.ready()
        let beside = CheckOutput(in: folder, changes)
        #expect(beside.status == 0, "\(beside)")
        #expect(beside.about("state").last?.text.contains("is used by process \(exporter.process.pid)") == true)
        #expect(exporter.process.end(with: SIGKILL) == 128 + SIGKILL)
        let before = try FolderPicture(of: folder.file("state"))
        #expect(CheckOutput(in: folder, changes).status == 0)
        #expect(try FolderPicture(of: folder.file("state")) == before)
        let again = try RunningExporter(folder, changes)
        _ = try again.ready()
        #expect(again.process.end(with: SIGTERM) == 0)
        let stopped = try FolderPicture(of: folder.file("state"))
        let checked = CheckOutput(in: folder, changes)
        #expect(
            checked.status == 0 && checked.about("database").first?.text.contains("are in order") == true, "\(checked)")
        #expect(try FolderPicture(of: folder.file("state")) == stopped)
    }

    @Test func `root may look at the folder of the user of a service`() throws {
        try #require(getuid() == 0, "run as root: other users are needed")
        try FileStore.makeDirectory(folder.file("state"))
        chown(folder.file("state"), 65_534, 65_534)
        let checked = CheckOutput(in: folder)
        #expect(checked.status == 0 && checked.about("state").map(\.mark) == ["ok"], "\(checked)")
        #expect(checked.about("state").first?.text.contains("to user nobody (65534), who can write it") == true)
    }

    @Test func `LiveKit is asked for the metadata of a room where the organization stands there`() throws {
        let changes = ["ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org"]
        let alone = CheckOutput(in: folder, changes, ["--room", "red"])
        #expect(alone.about("room red").first?.mark == "warning", "\(alone)")
        #expect(alone.about("room red").first?.text.contains("set LIVEKIT_URL so that lkpush check asks") == true)
        for (rooms, mark, says) in [
            (#"{"name":"red","metadata":"{\"org\":\"acme\"}"}"#, "ok", "acme: org in the metadata"),
            (#"{"name":"red","metadata":"acme"}"#, "error", "unknown (no_organization)"),
            ("", "warning", "LiveKit has no such room now"),
        ] {
            let livekit = try ScriptedReceiver(
                otherwise: .init(200, headers: Self.json, body: #"{"rooms":[\#(rooms)]}"#))
            let checked = CheckOutput(
                in: folder, changes.merging(["LIVEKIT_URL": "ws://127.0.0.1:\(livekit.port)"]) { $1 },
                ["--room", "red"])
            #expect(checked.about("room red").map(\.mark) == [mark], "\(checked)")
            #expect(checked.about("room red").first?.text.contains(says) == true, "\(checked)")
            #expect(livekit.requests.contains { String(decoding: $0.body, as: UTF8.self) == #"{"names":["red"]}"# })
        }
    }

    // MARK: Faults around the process

    private static let json = ["Content-Type": "application/json"]

    /// A fault outside of the database.
    enum Fault: String, CaseIterable, Sendable {
        case stateIsAFile, stateOfAnotherUser, stateFolderCannotBeMade, stateCannotBeWritten, journalIsDamaged
        case addressTaken, oneAddressForTwo, foreignAddress
        case fewDescriptors, littleMemory
        case receiverAway, receiverRefusesToken, receiverElsewhere, receiverClock
        case liveKitAway, liveKitRefusesKey, liveKitElsewhere, liveKitClock
        case liveKitRefusesEgress, liveKitFailsIngress
        case databaseAway, databaseFileOfAnother
        case roomDoesNotMatch, globWithoutMetric, badSetting
    }

    /// The program as the user `nobody` runs it.
    private static let asNobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]

    private struct Planted {
        var changes: [String: String] = [:]
        var words: [String] = []
        var wrapper: [String] = []
        var mark = "error"
        let subject: String
        let says: [String]
        /// What must stay for as long as the check runs.
        var kept: [any Sendable] = []
    }

    @Test(arguments: Fault.allCases)
    func `a planted fault is found, its cure is named, and nothing is changed`(_ fault: Fault) throws {
        let planted = try plant(fault)
        let before = try FolderPicture(of: folder.path)
        let checked = CheckOutput(in: folder, planted.changes, planted.words, by: planted.wrapper)
        #expect(try FolderPicture(of: folder.path) == before)
        if planted.mark == "problem" {
            #expect(checked.status == 78, "\(checked)")
            for words in planted.says { #expect(checked.output.contains(words), "\(checked)") }
            return
        }
        #expect(checked.status == (planted.mark == "error" ? 1 : 0), "\(checked)")
        let found = checked.about(planted.subject).filter { $0.mark == planted.mark }
        #expect(found.count == 1, "\(checked)")
        for words in planted.says { #expect(found.first?.text.contains(words) == true, "\(words): \(checked)") }
        // One fault is one finding: no other part is blamed.
        #expect(checked.findings.filter { $0.mark != "ok" } == found, "\(checked)")
        withExtendedLifetime(planted.kept) {}
    }

    private func plant(_ fault: Fault) throws -> Planted {
        switch fault {
        case .stateIsAFile, .stateOfAnotherUser, .stateFolderCannotBeMade, .stateCannotBeWritten, .journalIsDamaged:
            try plantState(fault)
        case .addressTaken, .oneAddressForTwo, .foreignAddress, .fewDescriptors, .littleMemory: try plantSystem(fault)
        case .receiverAway, .receiverRefusesToken, .receiverElsewhere, .receiverClock: try plantReceiver(fault)
        case .liveKitAway, .liveKitRefusesKey, .liveKitElsewhere, .liveKitClock: try plantLiveKit(fault)
        case .liveKitRefusesEgress, .liveKitFailsIngress: try plantLists(fault)
        case .databaseAway, .databaseFileOfAnother, .roomDoesNotMatch, .globWithoutMetric, .badSetting:
            try plantSetting(fault)
        }
    }

    private func plantState(_ fault: Fault) throws -> Planted {
        let state = folder.file("state")
        try #require(getuid() == 0, "run as root: other users are needed")
        chmod(folder.path, 0o755)
        switch fault {
        case .stateIsAFile:
            try FileStore.replace(state, with: [1])
            return Planted(
                changes: Self.otherDatabase, subject: "state", says: ["Not a directory", "Set STATE_DIR to a folder"])
        case .stateOfAnotherUser:
            try FileStore.makeDirectory(state)
            chown(state, 65_534, 65_534)
            try FileStore.replace(state + "/lock", with: [])
            return Planted(
                mark: "warning", subject: "state",
                says: ["\(state)/lock cannot be written by user nobody (65534)", "chown -R USER"])
        case .journalIsDamaged:
            try FileStore.makeDirectory(state)
            try FileStore.replace("\(state)/journal.db", with: Array(repeating: 0x5A, count: 9_000))
            return Planted(subject: "state", says: ["journal.db is damaged", "begins the counters at zero"])
        case .stateFolderCannotBeMade:
            return Planted(
                changes: Self.otherDatabase, wrapper: Self.asNobody, subject: "state",
                says: ["cannot be made in \(folder.path) by user nobody", "Permission denied", "mkdir -p"])
        default:
            try FileStore.makeDirectory(state)
            chmod(state, 0o755)
            return Planted(
                changes: Self.otherDatabase, wrapper: Self.asNobody, subject: "state",
                says: ["cannot be written by user nobody", "it belongs to user root", "chown -R USER \(state)"])
        }
    }

    /// A database outside of the state folder, so that it is not to blame as well.
    private static let otherDatabase = [
        "DATABASE_URL": "sqlite:/tmp/lkpush-check-has-not-been-here.db", "ORG_SOURCE": "fixed",
    ]

    private func plantSystem(_ fault: Fault) throws -> Planted {
        switch fault {
        case .addressTaken:
            let other = try ScriptedReceiver()
            return Planted(
                changes: ["LISTEN": "127.0.0.1:\(other.port)"], subject: "address",
                says: ["LISTEN=127.0.0.1:\(other.port): ", "another program already does", "ss -tnap"], kept: [other])
        case .oneAddressForTwo:
            let port = FixedPorts.pick()
            return Planted(
                changes: ["LISTEN": "127.0.0.1:\(port)", "METRICS_LISTEN": "127.0.0.1:\(port)"], subject: "address",
                says: ["METRICS_LISTEN=127.0.0.1:\(port)", "LISTEN takes this port already", "need one each"])
        case .foreignAddress:
            // An address of the documentation's: no machine has it. https://www.rfc-editor.org/rfc/rfc5737
            return Planted(
                changes: ["LISTEN": "192.0.2.1:3001"], subject: "address", says: ["no such address", "Set LISTEN to"])
        case .fewDescriptors:
            return Planted(
                wrapper: ["/bin/sh", "-c", #"ulimit -n 300; exec "$@""#, "sh"], mark: "warning", subject: "descriptors",
                says: ["MAX_CONNECTIONS asks for 4000", "LimitNOFILE="])
        default:
            let receiver = try ScriptedReceiver(dialect: .answering204)
            return Planted(
                changes: ["GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url, "REMOTE_WRITE_QUEUE_BYTES": "4GiB"],
                wrapper: ["/bin/sh", "-c", #"ulimit -v 4000000; exec "$@""#, "sh"], mark: "warning", subject: "memory",
                says: ["the limit of address space (ulimit -v) is 3906 MiB", "set REMOTE_WRITE_QUEUE_BYTES lower"],
                kept: [receiver])
        }
    }

    private func plantReceiver(_ fault: Fault) throws -> Planted {
        let answer: ScriptedReceiver.Answer
        let says: [String]
        switch fault {
        case .receiverAway:
            // Nobody listens on this port, that of tcpmux.
            return Planted(
                changes: ["GRAFANA_PROM_REMOTE_WRITE_URL": "http://127.0.0.1:1/write"], subject: "receiver default",
                says: ["nobody can be reached there", "Check that it runs"])
        case .receiverRefusesToken:
            answer = .init(401, body: "authentication error: invalid scope requested")
            says = ["the token may not write metrics", "scope metrics:write"]
        case .receiverElsewhere:
            answer = .init(404, body: "404 page not found")
            says = ["The push URL ends with /api/v1/write"]
        default:
            let twoHours = HTTPDate.text(secondsFromNow: -7_200)
            answer = .init(204, headers: ["Date": twoHours])
            says = ["ahead of its clock", "best by NTP"]
        }
        let receiver = try ScriptedReceiver(otherwise: answer)
        return Planted(
            changes: [
                "GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url, "GRAFANA_PROM_USERNAME": "7", "GRAFANA_API_KEY": "glc_x",
            ], subject: "receiver default", says: says, kept: [receiver])
    }

    private func plantLiveKit(_ fault: Fault) throws -> Planted {
        let answer: ScriptedReceiver.Answer
        let says: [String]
        switch fault {
        case .liveKitAway:
            return Planted(
                changes: ["LIVEKIT_URL": "ws://127.0.0.1:1"], subject: "livekit",
                says: ["no answer", "Check the URL, that LiveKit runs"])
        case .liveKitRefusesKey:
            answer = .init(401, headers: Self.json, body: #"{"code":"unauthenticated","msg":"invalid token"}"#)
            says = ["refuses the key \(BuiltProgram.key) (status 401)", "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET"]
        case .liveKitElsewhere:
            answer = .init(200, headers: ["Content-Type": "text/html"], body: "<html>hello</html>")
            says = ["no LiveKit server (status 200)", "such as wss://livekit.example.com"]
        default:
            let date = HTTPDate.text(secondsFromNow: 7_200)
            answer = .init(200, headers: ["Content-Type": "application/json", "Date": date], body: #"{"rooms":[]}"#)
            says = ["2 h behind that of LiveKit", "best by NTP"]
        }
        let server = try ScriptedReceiver(otherwise: answer)
        return Planted(
            changes: ["LIVEKIT_URL": "http://127.0.0.1:\(server.port)"], subject: "livekit", says: says, kept: [server])
    }

    /// A LiveKit that answers the list of rooms, and refuses another one.
    private func plantLists(_ fault: Fault) throws -> Planted {
        let server = try ScriptedReceiver(otherwise: .init(200, headers: Self.json, body: "{}"))
        let changes = ["LIVEKIT_URL": "http://127.0.0.1:\(server.port)"]
        if fault == .liveKitRefusesEgress {
            server.answerOnce(
                .init(401, headers: Self.json, body: #"{"code":"unauthenticated","msg":"permissions denied"}"#)
            ) { $0 == Array(#"{"active":true}"#.utf8) }
            return Planted(
                changes: changes, subject: "livekit",
                says: ["egress cannot be listed", "the right roomRecord (status 401)", "RECONCILE_INTERVAL=0"],
                kept: [server])
        }
        server.answerOnce(.init(500, headers: Self.json, body: #"{"code":"internal","msg":"no room for it"}"#)) {
            $0 == Array("{}".utf8)
        }
        return Planted(
            changes: changes, subject: "livekit",
            says: ["ingress cannot be listed (ListIngress: status 500, internal)", "look at the log of LiveKit"],
            kept: [server])
    }

    private func plantSetting(_ fault: Fault) throws -> Planted {
        switch fault {
        case .databaseAway:
            return Planted(
                changes: ["DATABASE_URL": "postgres://lkpush@127.0.0.1:1/office"], subject: "database",
                says: ["Connection refused", "Check host and port in DATABASE_URL"])
        case .databaseFileOfAnother:
            try #require(getuid() == 0, "run as root: other users are needed")
            chmod(folder.path, 0o755)
            let state = folder.file("state")
            try FileStore.makeDirectory(state)
            chown(state, 65_534, 65_534)
            let file = folder.file("office.db")
            try FileStore.replace(file, with: [], mode: 0o644)
            return Planted(
                changes: ["DATABASE_URL": "sqlite:\(file)", "ORG_SOURCE": "fixed"], wrapper: Self.asNobody,
                subject: "database", says: ["write \(file): Permission denied", "chown USER \(file)"])
        case .roomDoesNotMatch:
            return Planted(
                changes: ["ORG_SOURCE": "room-name", "ORG_ROOM_PATTERN": "^(?<org>[^~]+)~"],
                words: ["--room", "daily"], subject: "room daily",
                says: ["room_not_found", "ORG_ROOM_PATTERN, ^(?<org>[^~]+)~, does not match", "Change the pattern"])
        case .globWithoutMetric:
            return Planted(
                changes: ["METRICS_EXCLUDE": "lkpush_htp_*"], mark: "warning", subject: "setting",
                says: ["METRICS_EXCLUDE: lkpush_htp_*", "see /metrics for the names"])
        default:
            return Planted(
                changes: ["REMOTE_WRITE_URL": "x", "METRIC_LISTEN": "x"], mark: "problem", subject: "",
                says: [
                    "is GRAFANA_PROM_REMOTE_WRITE_URL meant?",
                    "METRIC_LISTEN: no such setting; is METRICS_LISTEN meant?",
                ])
        }
    }
}
