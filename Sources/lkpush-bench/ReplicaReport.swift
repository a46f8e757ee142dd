import Glibc
import Platform
import Simulation
import TestSupport

/// `lkpush-bench --replicas`: the computing time of lkpush for a webhook, with the journal in PostgreSQL and with the
/// embedded one.
///
/// Both write their rows to the same PostgreSQL, and push to a receiver in this process. They live through the same office in
/// turns. What PostgreSQL itself needs is in neither figure.
enum ReplicaReport {
    private enum Limits {
        /// An hour of the office in some seconds.
        static let speed = 900
        static let office = ["--orgs", "20", "--rooms", "5", "--users", "30", "--duration", "1h"]
        /// Rows and readings that follow the last webhook.
        static let settling = Duration.seconds(2)
        /// The ratio that is promised.
        static let promised = 1.5
    }

    private struct Side {
        let peer: Peer
        let webhooks: UInt16
        var microseconds: [Double] = []
    }

    /// Returns false where something cannot be measured.
    static func print(rounds: Int, isJSON: Bool) -> Bool {
        do {
            let receiver = try PeerReceiver(["embedded", "replica"])
            let database = try PostgresServer(isSynced: true)
            var sides = try ["embedded", "replica"].map { try side($0, receiver, database) }
            // The first day makes what is made once.
            for index in sides.indices { try live(&sides[index], day: 1, isMeasured: false) }
            for round in 0..<rounds {
                let order = round % 2 == 0 ? Array(sides.indices) : sides.indices.reversed()
                for index in order { try live(&sides[index], day: round + 2, isMeasured: true) }
            }
            show(sides, isJSON: isJSON)
            return true
        } catch {
            Program.printError("lkpush-bench: \(error)\n")
            return false
        }
    }

    private static func side(_ name: String, _ receiver: PeerReceiver, _ database: PostgresServer) throws -> Side {
        let webhooks = Loopback.freePort()
        var settings = ["DATABASE_URL": try database.database(), "PUSH_INTERVAL": "1s"]
        if name == "replica" { settings["JOURNAL_URL"] = try database.database() }
        let peer = try Peer.lkpush(name, mode: "--serve", url: receiver.url(name), webhooks: webhooks, settings)
        return Side(peer: peer, webhooks: webhooks)
    }

    /// Sends the webhooks of one day.
    private static func live(_ side: inout Side, day: Int, isMeasured: Bool) throws {
        let options = try SimulateOptions(
            arguments: Limits.office + [
                "--speed", "\(Limits.speed)", "--day", "\(day)", "--url", "http://127.0.0.1:\(side.webhooks)",
            ],
            environment: [
                "LIVEKIT_API_KEY": TokenCases.key, "LIVEKIT_API_SECRET": TokenCases.secret.exposed,
            ])
        let before = try side.peer.cpu()
        let webhooks = try events(side)
        let simulator = try Simulator(options)
        simulator.run(every: .seconds(60)) { _, _ in }
        guard simulator.tally.isFlawless else {
            throw LoadGenerator.LoadError(description: "webhooks were lost: \(simulator.tally.problem ?? "")")
        }
        Pause.wait(Limits.settling)
        let count = try events(side) - webhooks
        guard count > 0 else { throw LoadGenerator.LoadError(description: "\(side.peer.name) counted nothing") }
        if isMeasured { side.microseconds.append(Double(try side.peer.cpu() - before) / 1_000 / count) }
    }

    /// The webhooks that were counted so far.
    private static func events(_ side: Side) throws -> Double {
        let page = String(decoding: try RecordedPages.record(port: side.peer.port), as: UTF8.self)
        return page.split(separator: "\n").reduce(0) { sum, line in
            guard line.hasPrefix("lk_webhook_events_total{"), let value = line.split(separator: " ").last else {
                return sum
            }
            return sum + (Double(value) ?? 0)
        }
    }

    private static func show(_ sides: [Side], isJSON: Bool) {
        let means = sides.map { $0.microseconds.reduce(0, +) / Double(max(1, $0.microseconds.count)) }
        let ratio = means[1] / means[0]
        if isJSON {
            Swift.print(#"{"embedded_us":\#(means[0]),"replica_us":\#(means[1]),"ratio":\#(ratio)}"#)
            return
        }
        Swift.print("computing time of lkpush for a webhook, mean of \(sides[0].microseconds.count) office hours each")
        for (side, mean) in zip(sides, means) { Swift.print("  \(side.peer.name): \(Int(mean.rounded())) us") }
        Swift.print("  ratio \((ratio * 100).rounded() / 100), promised <= \(Limits.promised)")
    }
}
