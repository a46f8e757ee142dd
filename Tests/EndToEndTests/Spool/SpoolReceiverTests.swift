import Foundation
import Glibc
import TestSupport
import Testing

/// Receivers of their own kind, and what the healthy ones cost.
@Suite struct SpoolReceiverTests {
    @Test func `no file of a spool is touched while the receiver is healthy`() throws {
        let folder = TemporaryFolder()
        let receiver = try OutageReceiver(.taken)
        let exporter = MortalExporter(folder, MortalExporter.pushing(to: receiver.url, every: "1s"))
        func isSpool(_ name: String) -> Bool { name.hasPrefix("spool-") }
        // On a busy machine an answer may be late, and what waits is spooled. Then the receiver was not healthy.
        let isHealthy = try eventually {
            try exporter.startAndWait()
            let watch = try FolderWatch(folder.file("state"))
            try exporter.awaitReadings(4)
            exporter.start(rooms: ["one"])
            let written = try #require(exporter.figure("spool_samples_written_total"))
            let names = watch.names
            try exporter.terminate()
            guard written == 0 else { return false }
            #expect(!names.contains(where: isSpool), "\(names)")
            #expect(names.contains { $0.hasPrefix("journal.db") }, "the watch sees files")
            return true
        }
        #expect(isHealthy)

        // Here it is touched.
        try exporter.startAndWait()
        let watch = try FolderWatch(folder.file("state"))
        try receiver.change(to: .refused)
        try exporter.awaitSpool()
        #expect(watch.names.contains(where: isSpool))
        try exporter.terminate()
    }

    @Test(arguments: [ScriptedReceiver.Dialect.answering204, .answering415])
    func `a receiver of 1 0 comes back and gets everything as 1 0`(_ dialect: ScriptedReceiver.Dialect) throws {
        let folder = TemporaryFolder()
        let receiver = try OutageReceiver(.taken, dialect: dialect)
        let exporter = MortalExporter(folder, MortalExporter.pushing(to: receiver.url))
        try exporter.startAndWait()
        try exporter.awaitReadings(3)
        try receiver.change(to: .refused)
        try exporter.awaitSpool()
        try exporter.awaitReadings(2)
        var least = [try exporter.killNoting()]
        let before = receiver.requests.count { $0.version == .v2 }
        try exporter.startAndWait()
        try exporter.awaitReadings(2)
        try receiver.change(to: .taken)
        try exporter.awaitEmptySpool(in: folder)
        try exporter.awaitReadings(1)
        least.append(try exporter.terminateNoting())
        let received = ReceivedReadings(receiver)
        #expect(received.violations == [])
        #expect(received.missing(least: least) == [])
        #expect(received.holes == [])
        // The spool knows what the receiver reads.
        let spooled = receiver.requests.dropFirst(before).prefix { $0.version == .v1 }
        #expect(!spooled.isEmpty)
    }

    @Test(arguments: ScriptedReceiver.Dialect.allCases)
    func `an outage that began before the first answer loses nothing`(_ dialect: ScriptedReceiver.Dialect) throws {
        let folder = TemporaryFolder()
        let receiver = try OutageReceiver(.absent, dialect: dialect)
        let exporter = MortalExporter(folder, MortalExporter.pushing(to: receiver.url))
        try exporter.startAndWait()
        try exporter.awaitSpool()
        try exporter.awaitReadings(2)
        var least = [try exporter.killNoting()]
        try exporter.startAndWait()
        try exporter.awaitReadings(2)
        try receiver.change(to: .taken)
        try exporter.awaitEmptySpool(in: folder)
        try exporter.awaitReadings(1)
        least.append(try exporter.terminateNoting())
        let received = ReceivedReadings(receiver)
        #expect(received.violations == [])
        #expect(received.missing(least: least) == [])
        #expect(received.holes == [])
    }

    @Test func `samples keep the labels that they were read with`() throws {
        let folder = TemporaryFolder()
        let receiver = try OutageReceiver(.absent)
        let exporter = MortalExporter(folder, MortalExporter.pushing(to: receiver.url))
        try exporter.startAndWait(["INSTANCE": "before", "EXTERNAL_LABELS": "cluster=a"])
        try exporter.awaitSpool()
        try exporter.awaitReadings(3)
        let before = try exporter.killNoting()
        try exporter.startAndWait(["INSTANCE": "after", "EXTERNAL_LABELS": "zone=b"])
        try exporter.awaitReadings(2)
        try receiver.change(to: .taken)
        try exporter.awaitEmptySpool(in: folder)
        let after = try exporter.terminateNoting()
        for (instance, cluster, zone, least) in [("before", "a", nil, before), ("after", nil, "b", after)]
            as [(String, String?, String?, Int)]
        {
            let received = ReceivedReadings(receiver, instance: instance)
            #expect(received.violations == [])
            #expect(received.missing(least: [least]) == [])
            #expect(received.holes == [])
            let all = try receiver.requests.flatMap { try $0.decoded().series }
            let own = all.filter { $0.value(of: "instance") == instance }
            #expect(own.allSatisfy { $0.value(of: "cluster") == cluster && $0.value(of: "zone") == zone })
        }
    }
}
