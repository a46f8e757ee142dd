import CBenchmark
import Exporter
import HTTPServing
import LiveKit
import Platform
import Wire

/// The whole way of a webhook under load: the real service with its threads and its database, on a port of its own.
enum HTTPCases {
    private static let connections = 256
    static let name = "http/256 connections"

    static var all: [BenchmarkCase] {
        [
            BenchmarkCase(name, per: "request") { (stopwatch: Stopwatch) -> Measurement? in
                do throws(LoadGenerator.LoadError) {
                    return try measure(rounds: stopwatch.rounds, perRound: stopwatch.requestsPerRound)
                } catch {
                    Program.printError("\(name): \(error)\n")
                    return nil
                }
            }
        ]
    }

    private static func measure(rounds: Int, perRound: Int) throws(LoadGenerator.LoadError) -> Measurement {
        let second = SystemTime().now().milliseconds / 1_000
        let signer = TokenSigner(key: TokenCases.key, secret: TokenCases.secret)
        var requests = Requests()
        // Each request is sent once, because a repeated id would be cheap. The last two rounds follow a schedule.
        for body in OfficeBodies.stream(count: (rounds + 3) * perRound, second: second - 1_800, seed: 1) {
            requests.append(body, signer: signer)
        }
        let folder = ScratchFolder()
        let service = try start([
            "STATE_DIR": folder.path, "ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org_id",
        ])
        defer { _ = service.stop() }
        let ours = try LoadGenerator(port: service.publicAddress.port, connections: connections)
        let nginx = Nginx()
        var theirs: LoadGenerator?
        if let nginx { theirs = try LoadGenerator(port: nginx.port, connections: connections) }

        _ = try ours.send(requests, 0..<perRound)
        _ = try theirs?.send(requests, 0..<perRound)
        var (times, plainTimes): ([Double], [Double]) = ([], [])
        var (busy, plainBusy, good) = (0.0, 0.0, 0)
        // The fewest of a round: the process also does what time asks for, which only adds to them.
        var allocations = Double.infinity
        var cpu_ns: Int64 = 0
        for round in 1...rounds {
            let range = round * perRound..<(round + 1) * perRound
            let allocated = lk_allocations_of_process() - lk_allocations_of_thread()
            let spent = LoadGenerator.processTime() - LoadGenerator.threadTime()
            let outcome = try ours.send(requests, range)
            cpu_ns += LoadGenerator.processTime() - LoadGenerator.threadTime() - spent
            let made = lk_allocations_of_process() - lk_allocations_of_thread() - allocated
            allocations = min(allocations, Double(made) / Double(perRound))
            times.append(Double(outcome.wall_ns) / Double(perRound))
            busy += outcome.busy / Double(rounds)
            good += outcome.good
            guard let plain = try theirs?.send(requests, range) else { continue }
            plainTimes.append(Double(plain.wall_ns) / Double(perRound))
            plainBusy += plain.busy / Double(rounds)
        }
        guard good == rounds * perRound else {
            throw LoadGenerator.LoadError(description: "only \(good) of \(rounds * perRound) were answered 200")
        }
        let half = 0.5e9 / times.percentile(0.5)
        let paced = try ours.send(
            requests, (rounds + 1) * perRound..<(rounds + 3) * perRound, perSecond: half)
        let cpu_us = ResultRow.number(Double(cpu_ns) / 1_000 / Double(rounds * perRound))
        var note = "\(requests.meanBody) bytes, \(cpu_us) us of CPU, client busy \(percent(busy))"
        if !plainTimes.isEmpty {
            let share = plainTimes.percentile(0.5) / times.percentile(0.5)
            note += ", with nginx \(percent(plainBusy)); \(percent(share)) of nginx's rate"
        }
        note += "; at \(Int(half))/s: \(paced.text)"
        return Measurement(
            samples: rounds, best_ns: times.percentile(0), p50_ns: times.percentile(0.5), p90_ns: times.percentile(0.9),
            allocations: allocations,
            lowerBound: plainTimes.isEmpty ? nil : .init(name: "nginx", p50_ns: plainTimes.percentile(0.5)), note: note)
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }

    /// Starts the service on ports of its own and waits until it takes webhooks.
    static func start(_ settings: [String: String]) throws(LoadGenerator.LoadError) -> Service {
        var reader = SettingsReader(
            [
                "LISTEN": "127.0.0.1:0", "METRICS_LISTEN": "127.0.0.1:0", "LIVEKIT_API_KEY": TokenCases.key,
                "LIVEKIT_API_SECRET": TokenCases.secret.exposed, "LOG_LEVEL": "error",
            ].merging(settings) { $1 })
        let settings = Settings(&reader)
        guard reader.problems.isEmpty else { throw LoadGenerator.LoadError(description: "\(reader.problems)") }
        let service: Service
        do throws(StartError) {
            service = try Service(settings, log: Log(level: .error, format: .text))
            try service.start()
        } catch {
            throw LoadGenerator.LoadError(description: "\(error)")
        }
        return service
    }
}
