import Platform
import TestSupport
import Testing

/// Counters of usage grow while somebody is connected. Nobody ever sees one lower than before, neither on `/metrics` nor
/// at a receiver, whatever happens to the process and its disk.
@Suite struct UsageFaultTests {
    /// One exporter with one participant, and the highest totals that anybody saw.
    private final class Watched {
        let folder = TemporaryFolder()
        let receiver: ScriptedReceiver
        let disk: FaultyDisk
        let exporter: MortalExporter
        private var highest: [String: Double] = [:]

        init(_ settings: [String: String]) throws {
            receiver = try ScriptedReceiver(judges: true)
            disk = try FaultyDisk(root: folder.file("state"), in: folder)
            exporter = MortalExporter(
                folder,
                [
                    "ORG_SOURCE": "fixed", "GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url, "STALE_ON_STOP": "false",
                    "DATABASE_URL": "sqlite:" + folder.file("office.db"),
                    // A request that is late does not make samples wait for a disk that fails.
                    "SPOOL_MAX_BYTES": "0",
                ].merging(settings) { $1 })
        }

        func start() throws { try exporter.startAndWait(disk.environment) }

        func send(_ webhooks: [RetryingSender.Webhook]) {
            let sender = RetryingSender(
                webhooks, to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.02))
            #expect(sender.waitUntilAllSettled(), "\(exporter.readiness)")
            _ = sender.stop()
        }

        /// A person joins a room.
        func join() {
            send([
                SignedWebhook.make("room_started", room: "room"),
                SignedWebhook.make("participant_joined", room: "room", identity: "ann"),
            ])
        }

        private static func isUsage(_ key: String) -> Bool {
            key.hasPrefix("lk_") && key.prefix { $0 != "{" }.hasSuffix("_seconds_total")
        }

        /// The seconds of connections on `/metrics`. Expects that no total is lower than ever before, and none missing.
        func look(sourceLocation: SourceLocation = #_sourceLocation) -> Double {
            let samples = exporter.samples.filter { Self.isUsage($0.key) }
            for (key, value) in highest {
                #expect(samples[key] ?? -1 >= value, "\(key)", sourceLocation: sourceLocation)
            }
            highest.merge(samples) { max($0, $1) }
            return samples.filter { $0.key.hasPrefix("lk_connection_seconds_total") }.values.max() ?? 0
        }

        /// Waits until the seconds have grown by some.
        func expectGrowth(sourceLocation: SourceLocation = #_sourceLocation) {
            let before = look()
            let hasGrown = eventually { look() >= before + 0.5 }
            #expect(hasGrown, "\(before) \(exporter.readiness)", sourceLocation: sourceLocation)
        }

        /// The highest value that the receiver has of the seconds of connections. Expects that no total ever fell.
        ///
        /// What a killed process sent last may arrive after the first request of the next one. It is refused then.
        func pushed() -> Double {
            var highest = 0.0
            for (series, samples) in receiver.store.samples where Self.isUsage(series) {
                let values = samples.filter { !$0.isStale }.map(\.value)
                #expect(values == values.sorted(), "\(series): \(values)")
                if series.hasPrefix("lk_connection_seconds_total") { highest = max(highest, values.max() ?? 0) }
            }
            return highest
        }

        /// Waits for so many further readings of the registry.
        func waitForReadings(_ count: Double) {
            func readings() -> Double { exporter.samples["lkpush_remote_write_readings_total"] ?? 0 }
            let before = readings()
            #expect(eventually { readings() >= before + count })
        }
    }

    @Test func `neither kills nor a disk that fails undercut what was seen`() throws {
        let watched = try Watched([
            "PUSH_INTERVAL": "200ms", "IDLE_PUSH_INTERVAL": "400ms", "SNAPSHOT_INTERVAL": "300ms",
        ])
        let exporter = watched.exporter
        try watched.start()
        watched.join()
        for _ in 0..<2 {
            watched.expectGrowth()
            try exporter.kill()
            let pushed = watched.pushed()
            try watched.start()
            #expect(watched.look() >= pushed)
        }
        #expect(watched.pushed() > 0)
        // While the journal cannot be written the totals stand still: nobody sees what a restart would not know.
        watched.expectGrowth()
        try watched.disk.begin(.broken)
        #expect(eventually { exporter.readiness.contains("journal") })
        let still = watched.look()
        watched.waitForReadings(3)
        #expect(watched.look() == still)
        #expect(watched.pushed() <= still)
        try exporter.kill()
        try watched.disk.begin(nil)
        try watched.start()
        #expect(watched.look() >= still)
        watched.expectGrowth()
        try exporter.terminate()
        let pushed = watched.pushed()
        try watched.start()
        #expect(watched.look() >= pushed)
        try exporter.kill()
    }

    @Test func `the last reading of a stop has what was counted up to it`() throws {
        // There are the first and the last reading, and no other. Without a database no row is waited for.
        let watched = try Watched([
            "PUSH_INTERVAL": "4m", "IDLE_PUSH_INTERVAL": "4m", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        ])
        try watched.start()
        watched.join()
        // Webhooks bring commits, and with them the totals.
        #expect(
            eventually {
                watched.send([SignedWebhook.make("participant_joined", room: "other", identity: "bob")])
                return watched.look() > 0.2
            })
        let seen = watched.look()
        // The commit of what was counted last takes its time.
        try watched.disk.begin(.slow(.milliseconds(100)))
        try watched.exporter.terminate()
        try watched.disk.begin(nil)
        let pushed = watched.pushed()
        #expect(pushed > seen)
        try watched.start()
        #expect(watched.look() >= pushed)
        try watched.exporter.kill()
    }
}
