import CBenchmark
import Glibc
import Platform

/// A program that pushes metrics, in a process of its own: lkpush, or one that it is compared with.
final class Peer {
    let name: String
    let port: UInt16
    private let child: Child
    private let folder: ScratchFolder

    private init(
        _ name: String, _ words: [String], _ environment: [String: String], port: UInt16, _ folder: ScratchFolder
    )
        throws(LoadGenerator.LoadError)
    {
        // It is killed if this program dies before it could end it.
        let guarded = ["/usr/bin/setpriv", "--pdeathsig", "KILL"] + words
        guard let child = Child(guarded, environment: environment, output: "\(folder.path)/log") else {
            throw LoadGenerator.LoadError(description: "\(words[0]) cannot be started")
        }
        self.name = name
        self.port = port
        self.child = child
        self.folder = folder
        guard Loopback.waitFor(port) else {
            // A reader of the message needs the reason, if there is one.
            let log = (try? FileStore.read("\(folder.path)/log", limit: 1 << 20)) ?? []
            throw LoadGenerator.LoadError(
                description: "\(words[0]) does not start: \(String(decoding: log.suffix(2_000), as: UTF8.self))")
        }
    }

    /// It is killed: a sender that ends in good order waits for a receiver that may have gone before it.
    deinit {
        kill(child.id, SIGKILL)
        child.wait()
    }

    // MARK: Kinds

    static let labels = ["environment": "bench", "region": "local", "service": "lkpush"]
    static let instance = "bench-1"

    /// lkpush itself. `port` is that of its metrics.
    static func lkpush(
        _ name: String, mode: String, url: String, webhooks: UInt16, _ settings: [String: String]
    ) throws(LoadGenerator.LoadError) -> Peer {
        let folder = ScratchFolder()
        let port = Loopback.freePort()
        let environment = [
            "LISTEN": "127.0.0.1:\(webhooks)", "METRICS_LISTEN": "127.0.0.1:\(port)",
            "STATE_DIR": "\(folder.path)/state", "LIVEKIT_API_KEY": TokenCases.key,
            "LIVEKIT_API_SECRET": TokenCases.secret.exposed, "ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org_id",
            "LOG_LEVEL": "warning", "GRAFANA_PROM_REMOTE_WRITE_URL": url, "ENVIRONMENT": "bench", "REGION": "local",
            "INSTANCE": instance, "MAX_SERIES": "1000000",
            MovingService.fileVariable: Self.movedFile(folder),
        ].merging(settings) { $1 }
        let peer = try Peer(name, [ownPath, mode], environment, port: port, folder)
        guard Loopback.waitFor(webhooks) else {
            throw LoadGenerator.LoadError(description: "lkpush takes no webhooks")
        }
        return peer
    }

    /// The path of this program. `/proc/self/exe` would name another one in a child. Wraps `realpath`.
    private static var ownPath: String {
        guard let path = realpath("/proc/self/exe", nil) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }

    /// Prometheus as an agent.
    ///
    /// lkpush shows it the time at which each series began, because it asks for OpenMetrics. It would make series of
    /// their own of these times, which lkpush does not push, so they are left out.
    ///
    /// - Parameter sending: more settings of its remote write.
    static func agent(
        scraping target: String, every interval: String, url: String, sending: String = ""
    ) throws(LoadGenerator.LoadError) -> Peer {
        let folder = ScratchFolder()
        let port = Loopback.freePort()
        let external = labels.map { "\($0.key): \($0.value)" }.sorted().joined(separator: ", ")
        try write(
            """
            global: {scrape_interval: \(interval), scrape_timeout: \(interval), external_labels: {\(external)}}
            \(scrape(target))
              metric_relabel_configs: [{source_labels: [__name__], regex: .+_created, action: drop}]
            remote_write:
            - url: \(url)
              remote_timeout: 5m
              \(sending)

            """, to: "\(folder.path)/agent.yml")
        return try Peer(
            "Prometheus agent",
            [
                "/usr/bin/prometheus", "--enable-feature=agent", "--config.file=\(folder.path)/agent.yml",
                "--storage.agent.path=\(folder.path)/data", "--web.listen-address=127.0.0.1:\(port)",
            ], [:], port: port, folder)
    }

    /// vmagent, of VictoriaMetrics.
    static func vmagent(
        scraping target: String, every interval: String, url: String
    ) throws(LoadGenerator.LoadError) -> Peer {
        let folder = ScratchFolder()
        let port = Loopback.freePort()
        try write(
            "global: {scrape_interval: \(interval), scrape_timeout: \(interval)}\n\(scrape(target))\n",
            to: "\(folder.path)/vmagent.yml")
        return try Peer(
            "vmagent",
            [
                "/usr/bin/vmagent", "-promscrape.config=\(folder.path)/vmagent.yml",
                "-remoteWrite.tmpDataPath=\(folder.path)/data", "-remoteWrite.url=\(url)",
                "-remoteWrite.sendTimeout=5m", "-promscrape.maxScrapeSize=256MB", "-httpListenAddr=127.0.0.1:\(port)",
            ] + labels.map { "-remoteWrite.label=\($0.key)=\($0.value)" }, [:], port: port, folder)
    }

    private static func scrape(_ target: String) -> String {
        """
        scrape_configs:
        - job_name: lkpush
          static_configs: [{targets: ["\(target)"], labels: {instance: \(instance)}}]
        """
    }

    private static func write(_ text: String, to path: String) throws(LoadGenerator.LoadError) {
        do throws(SystemError) {
            try FileStore.replace(path, with: Array(text.utf8))
        } catch {
            throw LoadGenerator.LoadError(description: "\(error)")
        }
    }

    // MARK: Measuring

    /// Stops the process where it stands, so that another one can be measured alone.
    func freeze() { kill(child.id, SIGSTOP) }
    func thaw() { kill(child.id, SIGCONT) }

    private static func movedFile(_ folder: ScratchFolder) -> String { "\(folder.path)/moved" }

    /// The computing time of the whole process so far, in user and in system mode. It is without that of changing values
    /// in place of events. Wraps `clock_getcpuclockid`.
    func cpu() throws(LoadGenerator.LoadError) -> Int64 {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(child.id, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw LoadGenerator.LoadError(description: "\(name) has ended")
        }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) - moved
    }

    /// The computing time of changing values so far.
    var moved: Int64 { MovingService.moved(Self.movedFile(folder)) }

    /// The text that the program logged last.
    var log: String {
        // No log is an empty one.
        String(
            decoding: ((try? FileStore.read("\(folder.path)/log", limit: 64 << 20)) ?? []).suffix(2_000), as: UTF8.self)
    }
}
