import Glibc
import HTTPServing
import Platform
import Wire

/// `lkpush-bench --outage`: a receiver that is away for a long time, with a program of 93,000 series that is killed twice
/// meanwhile.
///
/// All values change with each reading. The readings of half an hour come in two minutes.
final class OutageReport {
    private enum Limits {
        /// With a hundred series for each, and lkpush's own, they make 93,000 series.
        static let organizations = 927
        static let interval = Duration.seconds(1)
        /// Readings before the outage and after it.
        static let healthy = 10
        static let sampling = Duration.milliseconds(50)
        static let start = Duration.seconds(60)
        static let recovery = Duration.seconds(600)
    }

    /// The receiver, in this process: its work is in nobody's figure.
    private struct Receiver {
        var isOpen = true
        var delivered = DeliveredSamples()
        var unreadable = 0
    }

    /// The resident memory of the program in one part of the run.
    private struct Resident {
        var least_KiB = Int.max
        var most_KiB = 0
        var last_KiB = 0

        mutating func note(_ resident_KiB: Int) {
            guard resident_KiB > 0 else { return }
            least_KiB = min(least_KiB, resident_KiB)
            most_KiB = max(most_KiB, resident_KiB)
            last_KiB = resident_KiB
        }
    }

    private let receiver = Monitor(Receiver())
    private let server: Server
    private let folder = ScratchFolder()
    private let ports = (webhooks: Loopback.freePort(), metrics: Loopback.freePort())
    private let time = SystemTime()
    private var child: Child?

    private init() throws(LoadGenerator.LoadError) {
        let (refused, malformed) = (Response(status: 503), Response(status: 400))
        let receiver = receiver
        do throws(ServingError) {
            server = try Server(
                listen: ListenAddress(host: "127.0.0.1", port: 0),
                routes: [
                    Route(.post, "/write") { _, body in
                        let bytes = body.withUnsafeBufferPointer { Array($0) }
                        return receiver.change { receiver in
                            guard receiver.isOpen else { return .respond(refused) }
                            guard let samples = receiver.delivered.take(bytes) else {
                                receiver.unreadable += 1
                                return .respond(malformed)
                            }
                            return .respond(PeerReceiver.written(samples))
                        }
                    }
                ], settings: ServerSettings(maxBody: .mebibytes(64), maxConnections: 1_000))
        } catch {
            throw LoadGenerator.LoadError(description: "\(error)")
        }
    }

    deinit {
        if let child {
            kill(child.id, SIGKILL)
            child.wait()
        }
        server.stop(deadline: time.monotonic())
    }

    /// Prints the report. Returns false if something is lost, comes out of order, or does not work.
    static func print(readings: Int, isJSON: Bool) -> Bool {
        do throws(LoadGenerator.LoadError) {
            return try OutageReport().run(readings: readings, isJSON: isJSON)
        } catch {
            Program.printError("\(error)\n")
            return false
        }
    }

    // MARK: The run

    private func run(readings: Int, isJSON: Bool) throws(LoadGenerator.LoadError) -> Bool {
        try start()
        let count = Limits.organizations
        try MemoryReport.fill(ports.webhooks, .init(participants: count * 5, rooms: count, organizations: count))
        Pause.wait(Limits.interval * Limits.healthy)
        show("before the outage", watch(for: Limits.interval * Limits.healthy), isJSON)

        setOpen(false)
        var least: [Int] = []
        var spooled = (bytes: 0.0, samples: 0.0)
        for part in 1...3 {
            show("in the outage, part \(part)", watch(for: Limits.interval * (readings / 3)), isJSON)
            guard part < 3 else { break }
            // The page is made last: it takes memory, too.
            let page = try RecordedPages.record(port: ports.metrics)
            func figure(_ name: String) -> Double { RecordedPages.value("lkpush_remote_write_\(name)", in: page) ?? 0 }
            spooled = (
                figure("spool_bytes{destination=\"default\"}"), figure("spool_samples{destination=\"default\"}")
            )
            least.append(Int(figure("readings_total")) - 1)
            try restart()
        }
        let file_bytes = size(of: spool)

        let before = receiver.withLock { $0.delivered.samples }
        let begin = time.monotonic()
        setOpen(true)
        show("in the recovery", try watchRecovery(), isJSON)
        let took = time.monotonic().since(begin)
        let sent = receiver.withLock { $0.delivered.samples } - before
        show("after it", watch(for: Limits.interval * Limits.healthy), isJSON)
        let page = try RecordedPages.record(port: ports.metrics)
        least.append(Int(RecordedPages.value("lkpush_remote_write_readings_total", in: page) ?? 0) - 1)
        let series = Int(RecordedPages.value("lkpush_series", in: page) ?? 0)
        end()

        let rate = Double(sent) / took.inSeconds
        let perSample = spooled.bytes / max(1, spooled.samples)
        if isJSON {
            Swift.print(
                "{\"series\":\(series),\"spool_bytes_per_sample\":\(perSample),\"spool_file_bytes\":\(file_bytes),"
                    + "\"recovery_samples\":\(sent),\"recovery_samples_per_second\":\(rate)}")
        } else {
            Swift.print(
                "\(series) series: \(ResultRow.number(perSample)) bytes for a sample in the spool, "
                    + "\(file_bytes >> 20) MiB of disk at its end; \(sent) samples sent in \(ResultRow.number(took.inSeconds)) s of "
                    + "recovery, \(ResultRow.number(rate)) a second")
        }
        return judge(least: least, isJSON: isJSON)
    }

    /// Checks what came, and prints it.
    private func judge(least: [Int], isJSON: Bool) -> Bool {
        let (delivered, unreadable) = receiver.withLock { ($0.delivered, $0.unreadable) }
        let lives = delivered.lives
        let (lacking, ended) = delivered.incomplete
        let missing = zip(lives, least).map { max(0, $1 + 1 - ($0.last ?? 0)) }
        let isGapless = lives.allSatisfy { $0 == Array(1...max(1, $0.last ?? 1)) }
        let isGood =
            lives.count == least.count && isGapless && missing.dropLast().allSatisfy { $0 <= 1 } && lacking == 0
            && delivered.violations == 0 && unreadable == 0
        if isJSON {
            Swift.print(
                "{\"delivered_samples\":\(delivered.samples),\"delivered_series\":\(delivered.seriesCount),"
                    + "\"missing_readings\":\(missing),\"incomplete_series\":\(lacking),\"ended_series\":\(ended),"
                    + "\"violations\":\(delivered.violations),\"copies\":\(delivered.copies),\"kept\":\(isGood)}")
        } else {
            Swift.print(
                "\(delivered.samples) samples of \(delivered.seriesCount) series arrived: readings missing at each kill "
                    + "\(missing.dropLast().map { "\($0)" }.joined(separator: ", ")); \(lacking) series with a gap "
                    + "(\(ended) that ended are not looked at); \(delivered.violations) samples out of order or with "
                    + "another value, \(delivered.copies) copies: \(isGood ? "kept" : "NOT KEPT")")
            if !isGapless || lives.count != least.count { Swift.print("readings: \(lives)") }
        }
        return isGood
    }

    private func setOpen(_ isOpen: Bool) { receiver.change { $0.isOpen = isOpen } }

    // MARK: The program

    private var spool: String { "\(folder.path)/state/spool-default.db" }

    private func size(of file: String) -> Int {
        var status = stat()
        return stat(file, &status) == 0 ? Int(status.st_size) : 0
    }

    private func start() throws(LoadGenerator.LoadError) {
        let child = Child(
            ["/proc/self/exe", "--serve-moving"],
            environment: [
                "LISTEN": "127.0.0.1:\(ports.webhooks)", "METRICS_LISTEN": "127.0.0.1:\(ports.metrics)",
                "STATE_DIR": "\(folder.path)/state", "LIVEKIT_API_KEY": TokenCases.key,
                "LIVEKIT_API_SECRET": TokenCases.secret.exposed, "ORG_SOURCE": "metadata",
                "ORG_METADATA_KEY": "org_id", "LOG_LEVEL": "warning",
                "GRAFANA_PROM_REMOTE_WRITE_URL": "http://\(server.address)/write", "REMOTE_WRITE_MESSAGE": "2.0",
                "PUSH_INTERVAL": "\(Limits.interval.milliseconds)ms", "REMOTE_WRITE_MAX_BACKOFF": "1s",
                "ENVIRONMENT": "bench", "REGION": "local", "INSTANCE": "bench-1", "MAX_SERIES": "1000000",
                // A series that ended is not looked at for gaps.
                "STALE_ON_STOP": "false",
            ])
        guard let child else { throw LoadGenerator.LoadError(description: "this program cannot be started again") }
        self.child = child
        let end = time.monotonic() + Limits.start
        while time.monotonic() < end {
            // Nobody listens at first.
            if let answer = try? Loopback.get(ports.metrics, "/readyz"), answer.starts(with: "HTTP/1.1 200".utf8) {
                return
            }
            Pause.wait(Limits.sampling)
        }
        throw LoadGenerator.LoadError(description: "the exporter does not become ready")
    }

    private func restart() throws(LoadGenerator.LoadError) {
        if let child {
            kill(child.id, SIGKILL)
            child.wait()
        }
        child = nil
        try start()
    }

    private func end() {
        child?.end()
        child = nil
    }

    // MARK: Memory

    private func watch(for duration: Duration) -> Resident {
        let end = time.monotonic() + duration
        return watch { time.monotonic() >= end }
    }

    private func watch(until isOver: () -> Bool) -> Resident {
        var resident = Resident()
        while !isOver(), let child {
            resident.note(MemoryReport.memory(of: child.id).resident_KiB)
            Pause.wait(Limits.sampling)
        }
        return resident
    }

    private func watchRecovery() throws(LoadGenerator.LoadError) -> Resident {
        let end = time.monotonic() + Limits.recovery
        let resident = watch { size(of: spool) == 0 || time.monotonic() >= end }
        guard size(of: spool) == 0 else { throw LoadGenerator.LoadError(description: "the spool does not get empty") }
        return resident
    }

    private func show(_ part: String, _ resident: Resident, _ isJSON: Bool) {
        if isJSON {
            Swift.print(
                "{\"part\":\"\(part)\",\"least_resident_kib\":\(resident.least_KiB),"
                    + "\"most_resident_kib\":\(resident.most_KiB),\"last_resident_kib\":\(resident.last_KiB)}")
        } else {
            func mebibytes(_ kibibytes: Int) -> Double { (Double(kibibytes) / 102.4).rounded() / 10 }
            Swift.print(
                "\(part): resident \(mebibytes(resident.least_KiB)) to \(mebibytes(resident.most_KiB)) MiB, "
                    + "\(mebibytes(resident.last_KiB)) at the end")
        }
        fflush(nil)
    }
}
