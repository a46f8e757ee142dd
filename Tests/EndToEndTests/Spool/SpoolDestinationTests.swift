import Foundation
import TestSupport
import Testing

/// Two destinations, of which one is away.
@Suite struct SpoolDestinationTests {
    private static let most_bytes = 1_048_576.0

    private func settings(_ first: OutageReceiver, _ second: OutageReceiver?) -> [String: String] {
        var settings = MortalExporter.pushing(to: first.url)
        settings["REMOTE_WRITE_QUEUE_BYTES"] = "1MiB"
        guard let second else { return settings }
        settings["REMOTE_WRITE_DESTINATIONS"] = "second"
        settings["REMOTE_WRITE_DESTINATION_SECOND_URL"] = second.url
        return settings
    }

    @Test(arguments: [OutageReceiver.Condition.absent, .unanswered])
    func `a dead receiver delays no other, and gets everything when it is back`(
        _ outage: OutageReceiver.Condition
    ) throws {
        let folder = TemporaryFolder()
        let (alive, dead) = (try OutageReceiver(.taken), try OutageReceiver(outage))
        let exporter = MortalExporter(folder, settings(alive, dead))
        try exporter.startAndWait()
        exporter.start(rooms: ["one"])
        try exporter.awaitSpool("second")
        try exporter.awaitReadings(8)
        // The other one has everything, while this one has nothing.
        let last = exporter.reading - 1
        try exporter.wait(for: "the readings at the other one") {
            alive.store.samples.contains { name, samples in
                name.hasPrefix("lkpush_remote_write_readings_total{") && samples.last?.value ?? 0 >= Double(last)
            }
        }
        #expect(ReceivedReadings(alive).missing(least: [last]) == [])
        #expect(dead.store.samples.isEmpty)
        #expect(try #require(exporter.figure("queue_bytes", "second")) <= Self.most_bytes)
        try dead.change(to: .taken)
        try exporter.awaitEmptySpool("second", in: folder)
        try exporter.awaitReadings(1)
        let least = [try exporter.terminateNoting()]
        for receiver in [alive, dead] {
            let received = ReceivedReadings(receiver)
            #expect(received.violations == [])
            #expect(received.missing(least: least) == [])
            #expect(received.holes == [])
        }
    }

    @Test func `a destination that is configured again gets what waited for it`() throws {
        let folder = TemporaryFolder()
        let (first, second) = (try OutageReceiver(.taken), try OutageReceiver(.refused))
        let both = settings(first, second)
        let exporter = MortalExporter(folder, settings(first, nil))
        try exporter.startAndWait(both)
        try exporter.awaitSpool("second")
        try exporter.awaitReadings(3)
        let waiting = try exporter.killNoting()
        let file = MortalExporter.spool("second", in: folder)
        #expect(FileManager.default.fileExists(atPath: file))

        try exporter.startAndWait()
        try exporter.awaitReadings(2)
        try exporter.terminate()
        #expect(FileManager.default.fileExists(atPath: file))

        try second.change(to: .taken)
        try exporter.startAndWait(both)
        try exporter.awaitEmptySpool("second", in: folder)
        try exporter.awaitReadings(1)
        let last = try exporter.terminateNoting()
        let received = ReceivedReadings(second)
        #expect(received.violations == [])
        #expect(received.missing(least: [waiting, last]) == [])
        // What a destination was sent is forgotten while it is not configured. So series that the last process does not
        // have any more, such as those of an answer that it had not yet, get no stale marker here.
        #expect(received.holes.filter { !$0.hasPrefix("lkpush_remote_write_") } == [])
    }

    @Test func `what waits for a destination that is gone is deleted when it is too old, and counted`() throws {
        let folder = TemporaryFolder()
        let (first, second) = (try OutageReceiver(.taken), try OutageReceiver(.refused))
        let exporter = MortalExporter(folder, settings(first, nil))
        // Its clock is so far behind that its samples are too old for the next process.
        let threeHours = try KeptState.clock(behind_s: 3 * 3_600, in: folder)
        try exporter.startAndWait(settings(first, second).merging(threeHours) { $1 })
        try exporter.awaitSpool("second")
        try exporter.kill()
        let file = MortalExporter.spool("second", in: folder)
        #expect(FileManager.default.fileExists(atPath: file))

        try exporter.startAndWait()
        let dropped = #"lkpush_remote_write_spool_samples_dropped_total{destination="second",reason="too_old"}"#
        try exporter.wait(for: "the end of the spool") {
            !FileManager.default.fileExists(atPath: file) && exporter.value(of: dropped) ?? 0 > 0
        }
        #expect(exporter.logged("samples are lost: nobody sends what a spool holds") == 1)
        try exporter.terminate()
        #expect(second.store.samples.isEmpty)
    }

    @Test func `what a spool holds when spools are switched off is deleted when it is too old, and counted`() throws {
        let folder = TemporaryFolder()
        let receiver = try OutageReceiver(.refused)
        let exporter = MortalExporter(folder, settings(receiver, nil))
        let threeHours = try KeptState.clock(behind_s: 3 * 3_600, in: folder)
        try exporter.startAndWait(threeHours)
        try exporter.awaitSpool()
        try exporter.kill()
        let file = MortalExporter.spool(in: folder)
        #expect(FileManager.default.fileExists(atPath: file))

        try receiver.change(to: .taken)
        try exporter.startAndWait(["SPOOL_MAX_BYTES": "0"])
        let dropped = #"lkpush_remote_write_spool_samples_dropped_total{destination="default",reason="unused"}"#
        try exporter.wait(for: "the end of the spool") {
            !FileManager.default.fileExists(atPath: file) && exporter.value(of: dropped) ?? 0 > 0
        }
        #expect(exporter.logged("samples are lost: nobody sends what a spool holds") == 1)
        // Pushing goes on without one.
        try exporter.awaitReadings(2)
        try exporter.terminate()
        #expect(ReceivedReadings(receiver).violations == [])
        #expect(!receiver.store.samples.isEmpty)
    }
}
