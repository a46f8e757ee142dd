import Platform
import RemoteWrite
import Simulation

/// The bytes that lkpush and Prometheus as an agent send for a simulated office day of 8 hours.
///
/// The time is compressed by 150: what happens every 15 s in life happens every 100 ms here, and the idle interval of
/// 60 s is 400 ms. Everything is real: four exporters that get the same webhooks from a simulated office each, and an
/// agent that scrapes `/metrics` of the first one as often as that pushes.
final class OfficeDayComparison {
    /// One sender's day.
    struct Day {
        let name: String
        let message: String
        /// Readings or scrapes.
        let readings: Int
        let figures: PeerReceiver.Figures

        var samplesPerReading: Double { Double(figures.samples) / Double(max(1, readings)) }
        var bytesPerReading: Double { Double(figures.bytes) / Double(max(1, readings)) }
    }

    private enum Limits {
        static let speed = 150
        /// What an agent's last request may wait for.
        static let flush = Duration.seconds(6)
    }

    /// The families of usage and of ends, as globs.
    static let usageFamilies =
        "lk_connection*,lk_rooms_ended_total,lk_track_seconds_total,lk_egress_seconds_total,lk_egress_bytes_total,"
        + "lk_egress_retries_total,lk_egress_results_total,lk_egress_errors_total,lk_ingress_seconds_total,lk_agent_*,"
        + "lk_sip_*"

    static let office = "20 organizations with 5 rooms and 30 people each, 8 hours"
    private static let arguments = ["--orgs", "20", "--rooms", "5", "--users", "30", "--duration", "8h"]

    private struct Exporter {
        let path: String
        let name: String
        let peer: Peer
        let webhooks: UInt16
    }

    private let receiver: PeerReceiver
    private let exporters: [Exporter]
    private let agent: Peer
    private(set) var series = 0

    init() throws(LoadGenerator.LoadError) {
        let variants = [
            ("every15s", "lkpush, every 15 s", ["PUSH_INTERVAL": "100ms"]),
            ("idle60s", "lkpush, idle 60 s", ["PUSH_INTERVAL": "100ms", "IDLE_PUSH_INTERVAL": "400ms"]),
            (
                "idle60sv1", "lkpush, idle 60 s, 1.0",
                ["PUSH_INTERVAL": "100ms", "IDLE_PUSH_INTERVAL": "400ms", "REMOTE_WRITE_MESSAGE": "1.0"]
            ),
            (
                "idle60splain", "lkpush, idle 60 s, without usage",
                ["PUSH_INTERVAL": "100ms", "IDLE_PUSH_INTERVAL": "400ms", "METRICS_EXCLUDE": Self.usageFamilies]
            ),
        ]
        receiver = try PeerReceiver(variants.map(\.0) + ["agent"])
        // A refresh of 5 min is one of 2 s here.
        let refresh = [
            "ACTIVITY_REFRESH": "2s", "EGRESS_REFRESH": "2s", "PRESENCE_REFRESH": "2s", "LICENSE_REFRESH": "24s",
        ]
        var exporters: [Exporter] = []
        for (path, name, settings) in variants {
            let webhooks = Loopback.freePort()
            let peer = try Peer.lkpush(
                name, mode: "--serve", url: receiver.url(path), webhooks: webhooks, settings.merging(refresh) { $1 })
            exporters.append(Exporter(path: path, name: name, peer: peer, webhooks: webhooks))
        }
        self.exporters = exporters
        // One request at a time is what the agent needs at the pace of life, and it sends metadata once a minute.
        agent = try Peer.agent(
            scraping: "127.0.0.1:\(exporters[0].peer.port)", every: "100ms", url: receiver.url("agent"),
            sending: "queue_config: {max_shards: 1}\n  metadata_config: {send_interval: 400ms}")
    }

    /// Lives through the day.
    func run() throws(LoadGenerator.LoadError) -> [Day] {
        let before = try readings()
        let figures = paths.map { receiver.figures($0) }
        let failures = Monitor<[String]>([])
        let offices = exporters.map { exporter in
            let (port, name) = (exporter.webhooks, exporter.name)
            return NamedThread(name: "office") {
                if let failure = Self.simulate(port) { failures.change { $0.append("\(name): \(failure)") } }
            }
        }
        for office in offices { office.join() }
        Pause.wait(Limits.flush)
        let after = try readings()
        if let failure = failures.withLock({ $0.first }) { throw LoadGenerator.LoadError(description: failure) }
        let names = exporters.map(\.name) + [agent.name]
        var days: [Day] = []
        for (index, path) in paths.enumerated() {
            let delivered = receiver.figures(path) - figures[index]
            days.append(
                Day(
                    name: names[index], message: delivered.message?.rawValue ?? "",
                    readings: after[index] - before[index], figures: delivered))
        }
        return days
    }

    private var paths: [String] { exporters.map(\.path) + ["agent"] }

    /// Sends the office's webhooks. Returns what went wrong.
    private static func simulate(_ port: UInt16) -> String? {
        do {
            let options = try SimulateOptions(
                arguments: arguments + ["--speed", "\(Limits.speed)", "--url", "http://127.0.0.1:\(port)"],
                environment: [
                    "LIVEKIT_API_KEY": TokenCases.key, "LIVEKIT_API_SECRET": TokenCases.secret.exposed,
                ])
            let simulator = try Simulator(options)
            simulator.run(every: .seconds(60)) { _, _ in }
            return simulator.tally.isFlawless ? nil : "webhooks were lost: \(simulator.tally.problem ?? "")"
        } catch {
            return "\(error)"
        }
    }

    /// The readings of each exporter so far, and the agent's scrapes.
    private func readings() throws(LoadGenerator.LoadError) -> [Int] {
        var counts: [Int] = []
        for exporter in exporters {
            let page = try RecordedPages.record(port: exporter.peer.port)
            counts.append(Int(RecordedPages.value("lkpush_remote_write_readings_total", in: page) ?? 0))
            if counts.count == 1 { series = Int(RecordedPages.value("lkpush_series", in: page) ?? 0) }
        }
        let page = try RecordedPages.record(port: agent.port)
        let scrapes = RecordedPages.value(
            #"prometheus_target_interval_length_seconds_count{interval="100ms"}"#, in: page)
        return counts + [Int(scrapes ?? 0)]
    }
}
