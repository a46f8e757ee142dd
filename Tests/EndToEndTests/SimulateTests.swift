import Glibc
import LiveKit
import Platform
import Simulation
import TestSupport
import Testing
import Wire

/// `lkpush simulate` with a running lkpush: both report the same about the day.
@Suite struct SimulateTests {
    private static let byName = [
        "ORG_SOURCE": "room-name", "ORG_ROOM_PATTERN": "^(?<org>[^~]+)~", "ACTIVITY_REFRESH": "1s",
        "EGRESS_REFRESH": "1s", "PRESENCE_REFRESH": "1s",
    ]

    private static func simulate(_ arguments: [String]) -> (status: Int32, output: String) {
        ChildProcess.run(
            BuiltProgram.executable, ["simulate"] + arguments,
            environment: [
                "PATH": "/usr/bin:/bin", "LIVEKIT_API_KEY": BuiltProgram.key,
                "LIVEKIT_API_SECRET": BuiltProgram.secret,
            ])
    }

    @Test(arguments: OfficeSize.Ending.allCases)
    func `a simulated office is counted as it was`(ending: OfficeSize.Ending) throws {
        let folder = TemporaryFolder()
        let exporter = try RunningExporter(folder, Self.byName)
        let ports = try exporter.ready()

        let (status, output) = Self.simulate([
            "--url", "http://127.0.0.1:\(ports.webhooks)", "--orgs", "3", "--rooms", "3", "--users", "12",
            "--duration", "3h", "--speed", "1800", "--seed", "11", "--end", ending.rawValue,
        ])
        #expect(status == 0, "\(output)")

        let size = OfficeSize(
            organizations: 3, rooms: 3, users: 12, length: .seconds(3 * 3_600), ending: ending, guests: .all)
        var office = Office(size: size, seed: 11)
        var truth = Truth()
        while let webhook = office.next() { truth.count(webhook, shift: TimeShift(seconds: 0)) }
        let expected = truth.samples(project: "default", region: "here")
            .merging(truth.usageSamples(project: "default", region: "here")) { $1 }
        // Whether participants count as jobs depends on which room tells a job first, and a wait of two webhooks on the
        // speed of the simulation.
        RunningExporter.expect(expected, at: ports.metrics, ignoring: { $0.hasPrefix("lk_agent_") })
        expectSummary(output, truth)
        expectDatabase(truth, at: ports.metrics)
        #expect(exporter.process.end(with: SIGTERM) == 0)
        try expectTables(truth, folder)
    }

    private func expectSummary(_ output: String, _ truth: Truth) {
        for (organization, account) in truth.accounts {
            let line = output.split(separator: "\n").first { $0.contains(organization) }
            let cells = (line ?? "").split(separator: " ").dropFirst().compactMap { Int($0) }
            #expect(cells.count == 9, "\(output)")
            #expect(
                cells.prefix(4) == [
                    account.roomsStarted, account.openRooms.count, account.sessions, account.present.count,
                ])
        }
    }

    private func expectDatabase(_ truth: Truth, at port: UInt16) {
        let isEqual = Waiting.until("the gauges of the database") {
            let found = RunningExporter.metrics(port)
            return truth.accounts.allSatisfy { organization, account in
                let labels = ["org_id": organization, "project": "default", "region": "here"]
                let week = labels.merging(["window": "7d"]) { $1 }
                let visits = truth.visits.filter { $0.key.organization == organization }
                let seconds = visits.values.reduce(0) { $0 + $1.duration_seconds }
                let online = found[Exposition.key("lk_participant_total_online_seconds", week)] ?? -1
                return found[Exposition.key("lk_unique_participants", week)]
                    == Double(Set(visits.keys.map(\.identity)).count)
                    && abs(online - seconds) < 0.01
                    && found[Exposition.key("lk_participants_connected", labels)] == Double(account.present.count)
            }
        }
        #expect(isEqual)
    }

    private func expectTables(_ truth: Truth, _ folder: TemporaryFolder) throws {
        let tables = try ApplicationTables(folder.file("state/office.db"))
        #expect(tables.present.count == truth.accounts.values.reduce(0) { $0 + $1.present.count })
        // The day of a session depends on the time of the test. Its sum over all days does not.
        var found: [String: (count: Int64, seconds: Double)] = [:]
        for (session, row) in tables.sessions {
            found["\(session.organization) \(session.user)", default: (0, 0)].count += row.count
            found["\(session.organization) \(session.user)", default: (0, 0)].seconds += row.seconds
        }
        for (visit, activity) in truth.visits {
            let row = found["\(visit.organization) \(try ApplicationTables.user(visit.identity))"]
            let all = truth.visits.filter {
                $0.key.organization == visit.organization && $0.key.identity == visit.identity
            }.values
            #expect(row?.count == Int64(all.reduce(0) { $0 + $1.sessions }), "\(visit) \(activity)")
            #expect(abs((row?.seconds ?? 0) - all.reduce(0) { $0 + $1.duration_seconds }) < 0.01, "\(visit)")
        }
        #expect(tables.recordings.count == truth.recordings.count)
        for (organization, recording) in truth.recordings {
            let row = tables.recordings[recording.id]
            #expect(row?.organization == organization)
            #expect(row?.requestType == recording.requestType.rawValue)
            #expect(row?.status == (recording.hasSucceeded ? "completed" : "failed"))
            #expect(abs((row?.seconds ?? 0) - (recording.lasted_seconds ?? 0)) < 0.01)
            #expect(row?.size == recording.size_bytes)
        }
    }

    @Test func `nobody there: it says so, retries as LiveKit does, and ends with 1 on Ctrl-C`() throws {
        let folder = TemporaryFolder()
        let port = FixedPorts.pick()
        let simulator = try ChildProcess(
            BuiltProgram.executable,
            ["simulate", "--url", "http://127.0.0.1:\(port)", "--key", "k", "--secret", "s", "--duration", "1h"],
            output: folder.file("out"))
        let text = { String(decoding: (try? FileStore.read(folder.file("out"))) ?? [], as: UTF8.self) }
        _ = Waiting.until("a word about it") { text().contains("retried") }
        #expect(text().lowercased().contains("connect"))
        #expect(simulator.poll() == nil)
        #expect(simulator.end(with: SIGINT) == 1)
        #expect(text().contains("Stopped early"))
    }

    @Test func `a wrong secret is said to be one`() throws {
        let folder = TemporaryFolder()
        let exporter = try RunningExporter(folder, Self.byName)
        let ports = try exporter.ready()
        let (status, output) = Self.simulate([
            "--url", "http://127.0.0.1:\(ports.webhooks)", "--secret", "another", "--duration", "1m", "--speed", "600",
            "--orgs", "1",
        ])
        #expect(status == 1)
        #expect(output.contains("401"))
        #expect(output.contains("key, secret or clock differ"))
        #expect(!output.contains("another"))
    }

    @Test func `wrong flags end with 64 and help with 0`() {
        let wrong = Self.simulate(["--orgs", "none", "--sped", "2"])
        #expect(wrong.status == 64)
        #expect(wrong.output.contains("--orgs none"))
        #expect(wrong.output.contains("--sped: no such flag. Did you mean --speed?"))
        let help = Self.simulate(["--help"])
        #expect(help.status == 0)
        for flag in ["--url", "--orgs", "--rooms", "--users", "--speed", "--duration", "--seed", "--connections"] {
            #expect(help.output.contains(flag))
        }
    }
}
