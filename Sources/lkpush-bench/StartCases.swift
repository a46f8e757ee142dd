import Exporter
import Glibc
import Journal
import JournalSQLite
import LiveKit
import Pipeline
import Platform
import Simulation
import Wire

/// The time from the start of a process to the first webhook that it takes.
enum StartCases {
    private static let replayed = 1_000_000
    /// The usual number of events in a commit under load.
    private static let group = 64

    static var all: [BenchmarkCase] {
        [
            BenchmarkCase("start/empty", per: "start") { stopwatch in
                attempt("start/empty") { () throws(LoadGenerator.LoadError) in
                    try measure(stopwatch.rounds) { () -> ScratchFolder in ScratchFolder() }
                }
            },
            BenchmarkCase("start/\(replayed) events", per: "start") { stopwatch in
                attempt("start/\(replayed) events") { () throws(LoadGenerator.LoadError) in
                    let folder = ScratchFolder()
                    let bytes = try fill(folder)
                    var found = try measure(stopwatch.rounds) { () -> ScratchFolder in
                        let copy = ScratchFolder()
                        Child(["/bin/cp", "-r", folder.path + "/state", copy.path])?.wait()
                        return copy
                    }
                    found.note += ", \(bytes / replayed) bytes per event"
                    return found
                }
            },
            BenchmarkCase("restart/under load", per: "restart") { stopwatch in
                attempt("restart/under load") { () throws(LoadGenerator.LoadError) in try restart(stopwatch.rounds) }
            },
        ]
    }

    private static func attempt(
        _ name: String, _ body: () throws(LoadGenerator.LoadError) -> Measurement
    ) -> Measurement? {
        do throws(LoadGenerator.LoadError) {
            return try body()
        } catch {
            Program.printError("\(name): \(error)\n")
            return nil
        }
    }

    /// Starts this program as an exporter on each folder that `make` makes.
    private static func measure(
        _ rounds: Int, _ make: () -> ScratchFolder
    ) throws(LoadGenerator.LoadError) -> Measurement {
        var times: [Double] = []
        var peak_KiB = 0
        for _ in 0..<rounds {
            let folder = make()
            let exporter = try ExporterProcess(folder)
            times.append(Double(exporter.took_ns))
            peak_KiB = max(peak_KiB, MemoryReport.memory(of: exporter.child.id).peak_KiB)
            exporter.child.end()
        }
        return measurement(times, note: "at most \(peak_KiB / 1_024) MiB")
    }

    private static func measurement(_ times: [Double], note: String) -> Measurement {
        Measurement(
            samples: times.count, best_ns: times.percentile(0), p50_ns: times.percentile(0.5),
            p90_ns: times.percentile(0.9), allocations: 0, note: note)
    }

    /// An exporter in a process of its own.
    private struct ExporterProcess {
        let child: Child
        let port: UInt16
        /// The time from its start until it was ready.
        let took_ns: Int64

        init(_ folder: ScratchFolder) throws(LoadGenerator.LoadError) {
            let time = SystemTime()
            let (port, metricsPort) = (Loopback.freePort(), Loopback.freePort())
            let start = time.monotonic()
            let child = Child(
                ["/proc/self/exe", "--serve"],
                environment: [
                    "LISTEN": "127.0.0.1:\(port)", "METRICS_LISTEN": "127.0.0.1:\(metricsPort)",
                    "STATE_DIR": folder.path + "/state", "LIVEKIT_API_KEY": TokenCases.key,
                    "LIVEKIT_API_SECRET": TokenCases.secret.exposed, "ORG_SOURCE": "metadata",
                    "ORG_METADATA_KEY": "org_id", "LOG_LEVEL": "error",
                    "DATABASE_URL": "sqlite:\(folder.path)/office.db",
                ])
            guard let child else {
                throw LoadGenerator.LoadError(description: "this program cannot be started again")
            }
            self.child = child
            self.port = port
            let pause = Monitor(())
            let ready = Array("HTTP/1.1 200".utf8)
            while true {
                // At first no program listens yet.
                if let answer = try? Loopback.get(metricsPort, "/readyz"), answer.starts(with: ready) { break }
                guard time.monotonic().since(start) < .seconds(60) else {
                    child.end()
                    throw LoadGenerator.LoadError(description: "the exporter does not become ready")
                }
                _ = pause.wait(until: time.monotonic() + .milliseconds(2)) { _ in nil as Void? }
            }
            took_ns = time.monotonic().nanoseconds - start.nanoseconds
        }
    }

    // MARK: A journal

    /// Writes a journal like that of a process that was killed before its first snapshot. Returns its size.
    private static func fill(_ folder: ScratchFolder) throws(LoadGenerator.LoadError) -> Int {
        let decoder = EventDecoder(metadataKey: "org_id")
        do {
            let journal = try JournalFile(directory: folder.path + "/state", now: SystemTime().now())
            var commit = Commit()
            var seed: UInt64 = 1
            while journal.numbers.lastEvent < replayed {
                OfficeBodies.forEach(second: SystemTime().now().milliseconds / 1_000 - 8 * 3_600, seed: seed) { body in
                    guard let event = try? decoder.decode(body.span) else { return true }
                    let accepted = AcceptedEvent(
                        event: event, receivedAt: Timestamp(milliseconds: event.createdAt * 1_000))
                    commit.events.append { accepted.encode(into: &$0) }
                    guard commit.events.count == group else { return true }
                    // A failed write shows at the end, where the events are missing.
                    _ = try? journal.commit(commit)
                    commit.restart(afterEvent: journal.numbers.lastEvent, afterInput: 0)
                    return journal.isOpen && journal.numbers.lastEvent < replayed
                }
                seed += 1
                guard journal.isOpen else { throw LoadGenerator.LoadError(description: "the journal is not written") }
            }
            let size = try journal.size_bytes()
            journal.close()
            return size
        } catch {
            throw LoadGenerator.LoadError(description: "\(error)")
        }
    }

    // MARK: Restart

    /// Sends SIGTERM under load, and starts the next process on the same state.
    private static func restart(_ rounds: Int) throws(LoadGenerator.LoadError) -> Measurement {
        let signer = TokenSigner(key: TokenCases.key, secret: TokenCases.secret)
        let second = SystemTime().now().milliseconds / 1_000
        let folder = ScratchFolder()
        var exporter = try ExporterProcess(folder)
        var times: [Double] = []
        var stops: [Double] = []
        for round in 1...rounds {
            var requests = Requests()
            for body in OfficeBodies.stream(count: 100_000, second: second - 1_800, seed: UInt64(round)) {
                requests.append(body, signer: signer)
            }
            let generator = try LoadGenerator(port: exporter.port, connections: 64)
            let time = SystemTime()
            _ = try generator.send(requests, 0..<20_000)
            let id = exporter.child.id
            // The load goes on until no program answers.
            let stopper = NamedThread(name: "stopper") {
                let pause = Monitor(())
                _ = pause.wait(until: time.monotonic() + .milliseconds(200)) { _ in nil as Void? }
                kill(id, SIGTERM)
            }
            let start = time.monotonic()
            _ = try? generator.send(requests, 20_000..<100_000)
            stopper.join()
            exporter.child.wait()
            let ended = time.monotonic()
            exporter = try ExporterProcess(folder)
            // Measured from the signal, which came 0.2 s after the beginning.
            stops.append(Double(ended.nanoseconds - start.nanoseconds) - 200e6)
            times.append(Double(time.monotonic().nanoseconds - start.nanoseconds) - 200e6)
        }
        exporter.child.end()
        return measurement(
            times, note: "\(ResultRow.number(stops.percentile(0.5) / 1e6)) ms of it until the old process ended")
    }
}
