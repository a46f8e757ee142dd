import Foundation
import Platform
import TestSupport
import Testing

extension MortalExporter {
    /// Settings of a program that pushes often, tries again soon and never gives up an answer.
    static func pushing(to url: String, every interval: String = "400ms") -> [String: String] {
        [
            "GRAFANA_PROM_REMOTE_WRITE_URL": url, "PUSH_INTERVAL": interval, "IDLE_PUSH_INTERVAL": interval,
            "REMOTE_WRITE_MIN_BACKOFF": "20ms", "REMOTE_WRITE_MAX_BACKOFF": "100ms",
            "REMOTE_WRITE_TIMEOUT": Waits.setting,
        ]
    }

    /// The number of the last reading.
    var reading: Int { Int(value(of: "lkpush_remote_write_readings_total") ?? 0) }

    /// One of the figures of a destination.
    func figure(_ name: String, _ destination: String = "default") -> Double? {
        value(of: "lkpush_remote_write_\(name){destination=\"\(destination)\"}")
    }

    /// The value of a series of `/metrics`, which is not read as a whole: that takes a while.
    func value(of series: String) -> Double? {
        guard let page = LoopbackClient.get("/metrics", port: metrics)?.body,
            let found = page.range(of: "\n\(series) ", options: .literal)
        else { return nil }
        return Exposition.number(page[found.upperBound...].prefix { $0 != "\n" })
    }

    /// Waits for something that the program does. Throws if it never does, or ends.
    func wait(for what: String, _ condition: () -> Bool) throws {
        let pause = Monitor(())
        let isThere = try eventually {
            try expectAlive()
            if condition() { return true }
            // The program has better things to do than to answer.
            _ = pause.wait(until: SystemTime().monotonic() + .milliseconds(40)) { _ in Never?.none }
            return false
        }
        if !isThere { throw failure("waited in vain for \(what)") }
    }

    /// Waits for this many more readings.
    func awaitReadings(_ count: Int) throws {
        let end = reading + count
        try wait(for: "readings") { reading >= end }
    }

    /// Waits until readings are in the spool of a destination.
    func awaitSpool(_ destination: String = "default") throws {
        try wait(for: "the spool") { figure("spool_samples", destination) ?? 0 > 0 }
    }

    /// Kills the program. Returns the number of the last reading that must be stored or in the spool: the kill costs one
    /// at most.
    func killNoting() throws -> Int {
        let last = reading
        try kill()
        return last - 1
    }

    /// Stops the program in good order. Returns the number of the last reading: there is one more at the stop.
    func terminateNoting() throws -> Int {
        let last = reading
        try terminate()
        return last + 1
    }

    /// Waits until a destination has nothing to send and no file any more.
    func awaitEmptySpool(_ destination: String = "default", in folder: TemporaryFolder) throws {
        let file = Self.spool(destination, in: folder)
        try wait(for: "the end of the spool") {
            !FileManager.default.fileExists(atPath: file)
                && ["bytes", "samples", "oldest_age_seconds"].allSatisfy { figure("spool_" + $0, destination) == 0 }
        }
    }

    /// The path of the spool of a destination.
    static func spool(_ destination: String = "default", in folder: TemporaryFolder) -> String {
        folder.file("state") + "/spool-\(destination).db"
    }

    /// Sends webhooks of rooms that start. Expects that each is taken.
    func start(rooms: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        let sender = RetryingSender(
            rooms.map { SignedWebhook.make("room_started", room: $0) }, to: webhooks,
            patience: .untilAnswered(scaledBy: 0.02))
        #expect(sender.waitUntilAllSettled(), sourceLocation: sourceLocation)
        #expect(sender.stop().outcomes.allSatisfy { $0.status == 200 }, sourceLocation: sourceLocation)
    }

    /// The log lines so far with this message.
    func logged(_ message: String) -> Int {
        output.split(separator: "\n").count { $0.contains("\"msg\":\"\(message)") }
    }
}
