import CBenchmark
import Glibc
import HTTPServing
import LiveKit
import Platform
import Recording
import Wire

/// The memory of one series and of one participant, and the memory of an exporter that runs and pushes.
enum MemoryReport {
    private static let sizes = [
        Population.Size(participants: 5_000, rooms: 1_000, organizations: 100),
        Population.Size(participants: 50_000, rooms: 10_000, organizations: 1_000),
    ]

    /// Prints the report. Returns false if something did not work.
    static func print(isJSON: Bool) -> Bool {
        let series = bytesPerSeries()
        let participant = bytesPerParticipant()
        if isJSON {
            Swift.print("{\"bytes_per_series\":\(series),\"bytes_per_participant\":\(participant)}")
        } else {
            Swift.print("one series (registry, shipper's table)      \(series) bytes")
            Swift.print("one participant (recorder, half have 2 tracks) \(participant) bytes")
        }
        fflush(nil)
        for size in sizes {
            do throws(LoadGenerator.LoadError) {
                let found = try run(size)
                if isJSON {
                    Swift.print(
                        "{\"size\":\"\(size.text)\",\"resident_kib\":\(found.resident_KiB),"
                            + "\"peak_kib\":\(found.peak_KiB),\"series\":\(found.series),\"requests\":\(found.pushes)}")
                } else {
                    Swift.print(
                        "participants/rooms/organizations \(size.text), \(found.series) series: resident "
                            + "\(mebibytes(found.resident_KiB)) MiB, at most \(mebibytes(found.peak_KiB)) MiB, "
                            + "\(found.pushes) requests pushed")
                }
                fflush(nil)
            } catch {
                Program.printError("\(size.text): \(error)\n")
                return false
            }
        }
        return true
    }

    private static func mebibytes(_ kibibytes: Int) -> Double { (Double(kibibytes) / 102.4).rounded() / 10 }

    // MARK: One of each

    private static func bytesPerSeries() -> Int {
        // Organizations without people: only their series differ. The first ones warm everything up.
        func held(_ organizations: Int) -> (Int, Int) {
            let before = lk_heap_bytes()
            let large = LargeRegistry(organizations: organizations)
            let pusher = Pusher(large.fixture.registry, idleInterval: .seconds(15))
            pusher.tick(after: .seconds(15))
            return withExtendedLifetime((large, pusher)) { (Int(lk_heap_bytes()) - Int(before), pusher.rowCount) }
        }
        let (few, fewRows) = held(100)
        let (many, manyRows) = held(1_000)
        return (many - few) / (manyRows - fewRows)
    }

    private static func bytesPerParticipant() -> Int {
        func held(_ participants: Int) -> Int {
            let before = lk_heap_bytes()
            let fixture = BenchFixture(.metadata)
            var population = Population(.init(participants: participants, rooms: 1_000, organizations: 10))
            population.furnish { fixture.apply($0, at: Timestamp(milliseconds: $0.createdAt * 1_000)) }
            // The memory of the generator is not part of it: only what is left after it is released.
            population = Population(.init(participants: 1, rooms: 1, organizations: 1))
            return withExtendedLifetime(fixture) { Int(lk_heap_bytes()) - Int(before) }
        }
        return (held(50_000) - held(10_000)) / 40_000
    }

    // MARK: A running exporter

    private struct Found {
        var resident_KiB = 0
        var peak_KiB = 0
        var series = 0
        var pushes = 0
    }

    /// Starts this program again as an exporter that pushes to us every second, fills it, and reads its memory from
    /// outside.
    private static func run(_ size: Population.Size) throws(LoadGenerator.LoadError) -> Found {
        let folder = ScratchFolder()
        let pushes = Monitor(0)
        let receiver: Server
        do throws(ServingError) {
            receiver = try Server(
                listen: ListenAddress(host: "127.0.0.1", port: 0),
                routes: [
                    Route(.post, "/write") { _, _ in
                        pushes.change { $0 += 1 }
                        return .respond(Response(status: 204))
                    }
                ], settings: ServerSettings(maxBody: .mebibytes(16), maxConnections: 100))
        } catch {
            throw LoadGenerator.LoadError(description: "\(error)")
        }
        let (port, metricsPort) = (Loopback.freePort(), Loopback.freePort())
        let child = Child(
            ["/proc/self/exe", "--serve"],
            environment: [
                "LISTEN": "127.0.0.1:\(port)", "METRICS_LISTEN": "127.0.0.1:\(metricsPort)", "STATE_DIR": folder.path,
                "LIVEKIT_API_KEY": TokenCases.key, "LIVEKIT_API_SECRET": TokenCases.secret.exposed,
                "ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org_id", "LOG_LEVEL": "warning",
                "GRAFANA_PROM_REMOTE_WRITE_URL": "http://\(receiver.address)/write", "PUSH_INTERVAL": "1s",
                "ENVIRONMENT": "bench", "REGION": "local", "ACTIVITY_REFRESH": "2s", "EGRESS_REFRESH": "2s",
                "PRESENCE_REFRESH": "2s", "LICENSE_REFRESH": "2s",
                // Some snapshots fall into the measured time, because each one needs room for the whole state.
                "SNAPSHOT_INTERVAL": "2s",
            ])
        guard let child else { throw LoadGenerator.LoadError(description: "this program cannot be started again") }
        defer { child.end() }
        guard Loopback.waitFor(port) else { throw LoadGenerator.LoadError(description: "the exporter does not start") }
        try fill(port, size)
        // The measured time has several ticks of all series, and the reports of the database.
        let time = SystemTime()
        let before = pushes.withLock { $0 }
        let end = time.monotonic() + .seconds(8)
        _ = pushes.wait(until: end) { _ in nil as Void? }
        var found = Found()
        found.pushes = pushes.withLock { $0 } - before
        (found.resident_KiB, found.peak_KiB) = memory(of: child.id)
        // The page is requested last, because making it takes memory, too.
        let page = String(decoding: try Loopback.get(metricsPort, "/metrics"), as: UTF8.self)
        let line = page.split(separator: "\n").first { $0.hasPrefix("lkpush_series ") } ?? ""
        found.series = Int(line.dropFirst("lkpush_series ".count)) ?? 0
        return found
    }

    /// Sends everybody's events in their natural order: rooms, then people, then tracks.
    static func fill(_ port: UInt16, _ size: Population.Size) throws(LoadGenerator.LoadError) {
        let signer = TokenSigner(key: TokenCases.key, secret: TokenCases.secret)
        let generator = try LoadGenerator(port: port, connections: 64)
        var events: [Event] = []
        var population = Population(size)
        population.furnish { events.append($0) }
        population.cover { events.append($0) }
        var requests = Requests()
        for (number, event) in events.enumerated() {
            requests.append(EventBody.json(event), signer: signer)
            if requests.count == 10_000 || number == events.count - 1 {
                let outcome = try generator.send(requests, 0..<requests.count)
                guard outcome.bad == 0 else {
                    throw LoadGenerator.LoadError(description: "\(outcome.bad) webhooks were refused")
                }
                requests = Requests()
            }
        }
    }

    /// Returns the kernel's figures of a process. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    static func memory(of process: pid_t) -> (resident_KiB: Int, peak_KiB: Int) {
        // A process that has just ended has no memory.
        let text = (try? FileStore.read("/proc/\(process)/status")) ?? []
        func value(_ name: String) -> Int {
            let line = text.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: name.utf8) } ?? []
            return Int(String(decoding: line.filter { (0x30...0x39).contains($0) }, as: UTF8.self)) ?? 0
        }
        return (value("VmRSS:"), value("VmHWM:"))
    }
}
