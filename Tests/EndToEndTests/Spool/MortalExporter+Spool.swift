import Foundation
import LiveKit
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
    var reading: Int { Int(samples["lkpush_remote_write_readings_total"] ?? 0) }

    /// One of the figures of a destination.
    func figure(_ name: String, _ destination: String = "default") -> Double? {
        samples["lkpush_remote_write_\(name){destination=\"\(destination)\"}"]
    }

    /// Waits for this many more readings. Throws if they do not come.
    func awaitReadings(_ count: Int) throws {
        let end = reading + count
        let isThere = try eventually {
            try expectAlive()
            return reading >= end
        }
        if !isThere { throw failure("there are no readings") }
    }

    /// Waits until readings are in the spool of a destination.
    func awaitSpool(_ destination: String = "default") throws {
        let isThere = try eventually {
            try expectAlive()
            return figure("spool_samples", destination) ?? 0 > 0
        }
        if !isThere { throw failure("nothing is in the spool") }
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
        let isEmpty = try eventually {
            try expectAlive()
            let figures = ["bytes", "samples", "oldest_age_seconds"].map { figure("spool_" + $0, destination) }
            return figures == [0, 0, 0] && !FileManager.default.fileExists(atPath: file)
        }
        if !isEmpty { throw failure("the spool has not become empty") }
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
