import Glibc
import HTTPServing
import LiveKit
import Platform
import Simulation
import TestSupport
import Testing
import Wire

/// The built program beside the server API of a simulated office, of which no webhook came.
@Suite struct ReconciliationTests {
    private static let signer = TokenSigner(key: BuiltProgram.key, secret: Secret(BuiltProgram.secret))

    /// An office in the middle of a day that began two hours ago.
    private struct Midday {
        var truth = Truth()
        let server: OfficeAPIServer

        init() throws {
            let size = OfficeSize(organizations: 2, rooms: 4, users: 16, length: .seconds(4 * 3_600))
            var office = Office(size: size, seed: 3)
            let timeline = Timeline(startedAt: SystemTime().now() - .seconds(2 * 3_600 + 600), speed: 1)
            var api = OfficeAPI(timeline: timeline)
            while let occurrence = office.nextOccurrence(), occurrence.at < Office.epoch + .seconds(2 * 3_600) {
                api.take(occurrence)
                switch occurrence {
                case .webhook(let webhook): truth.count(webhook, shift: TimeShift(seconds: 0))
                case .crash(let crash): truth.count(crash)
                }
            }
            server = try OfficeAPIServer(try ListenAddress("127.0.0.1:0"), api, signer: ReconciliationTests.signer)
        }

        func count<Element>(_ values: (Truth.Account) -> some Collection<Element>) -> Double {
            Double(truth.accounts.values.reduce(0) { $0 + values($1).count })
        }
    }

    private func sum(_ name: String, _ port: UInt16) -> Double {
        RunningExporter.metrics(port).filter { $0.key.hasPrefix(name + "{") }.values.reduce(0, +)
    }

    @Test func `what only the API has is adopted, and kills and a start without the API change nothing`() throws {
        let office = try Midday()
        let folder = TemporaryFolder()
        let environment = [
            "LIVEKIT_URL": "http://\(office.server.address)", "RECONCILE_INTERVAL": "1s", "LOG_FORMAT": "json",
        ]
        // Each is killed somewhere in its next poll.
        for polls in 1...3 {
            let mortal = try RunningExporter(folder, environment)
            let port = try mortal.ready().metrics
            let asked = #"lkpush_reconcile_requests_total{call="ListRooms",code="200"}"#
            #expect(Waiting.until("\(polls) polls") { RunningExporter.metrics(port)[asked] ?? 0 >= Double(polls) })
            _ = mortal.process.end(with: SIGKILL)
        }
        let exporter = try RunningExporter(folder, environment)
        var ports = try exporter.ready()
        let expected: [(String, Double)] = [
            ("lk_room_active", office.count(\.openRooms)), ("lk_participants_active", office.count(\.present)),
            ("lk_tracks_active", office.count(\.openTracks)), ("lk_egress_active", office.count(\.openRecordings)),
            ("lk_ingress_active", office.count(\.openStreams)),
        ]
        #expect(office.count(\.present) > 5 && office.count(\.openRooms) > 2)
        for (name, value) in expected {
            #expect(
                Waiting.until("\(name) to be \(value)") { sum(name, ports.metrics) == value },
                "\(name) is \(sum(name, ports.metrics))")
        }
        #expect(sum("lk_participant_sessions_total", ports.metrics) == 0)
        #expect(
            Waiting.until("no drift") {
                let samples = RunningExporter.metrics(ports.metrics).filter {
                    $0.key.hasPrefix("lkpush_reconcile_drift{")
                }
                return samples.count == 10 && samples.values.allSatisfy { $0 == 0 }
            })
        _ = exporter.process.end(with: SIGKILL)

        office.server.stop()
        let again = try RunningExporter(folder, environment)
        ports = try again.ready()
        for (name, value) in expected { #expect(sum(name, ports.metrics) == value, "\(name)") }
        #expect(
            Waiting.until("calls that fail") {
                RunningExporter.metrics(ports.metrics)[
                    #"lkpush_reconcile_requests_total{call="ListRooms",code="connect"}"#] ?? 0 > 1
            })
        for (name, value) in expected { #expect(sum(name, ports.metrics) == value, "\(name)") }
        #expect(again.process.end(with: SIGTERM) == 0)
        #expect(
            again.lines.count {
                ($0["msg"] as? String)?.contains("LiveKit's API") == true
                    && $0["level"] as? String == "warning"
            } == 1)
        for word in ["~", BuiltProgram.secret, "Bearer"] { #expect(!again.output.contains(word), "\(word) was logged") }
    }
}
