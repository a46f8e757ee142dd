import Foundation
import Glibc
import Platform
import TestSupport
import Testing

/// A receiver that is away while the program is killed and stopped.
@Suite struct SpoolOutageTests {
    private func expectNothingLost(
        _ receiver: OutageReceiver, least: [Int], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let received = ReceivedReadings(receiver)
        #expect(received.violations == [], sourceLocation: sourceLocation)
        #expect(received.missing(least: least) == [], sourceLocation: sourceLocation)
        #expect(received.holes == [], sourceLocation: sourceLocation)
    }

    @Test func `two kills in an outage cost a reading each at most`() throws {
        let folder = TemporaryFolder()
        let receiver = try OutageReceiver(.taken)
        let exporter = MortalExporter(folder, MortalExporter.pushing(to: receiver.url))
        try exporter.startAndWait()
        exporter.start(rooms: ["one", "two"])
        try exporter.awaitReadings(2)
        var least: [Int] = []

        try receiver.change(to: .refused)
        try exporter.awaitSpool()
        try exporter.awaitReadings(3)
        least.append(try exporter.killNoting())
        #expect(FileManager.default.fileExists(atPath: MortalExporter.spool(in: folder)))

        try receiver.change(to: .absent)
        try exporter.startAndWait()
        exporter.start(rooms: ["three"])
        try exporter.awaitReadings(3)
        least.append(try exporter.killNoting())

        try receiver.change(to: .unanswered)
        try exporter.startAndWait()
        #expect(receiver.waitForRequests(1))
        exporter.start(rooms: ["four"])
        try exporter.awaitReadings(3)
        try receiver.change(to: .taken)
        try exporter.awaitEmptySpool(in: folder)
        try exporter.awaitReadings(2)
        least.append(try exporter.terminateNoting())

        expectNothingLost(receiver, least: least)
        let rooms = try #require(ReceivedReadings(receiver).samples(of: "lk_rooms_started_total").first)
        let values = rooms.filter { !$0.isStale }.map(\.value)
        #expect(values == values.sorted())
        #expect(values.last == 4)
        #expect(exporter.logged("samples of an earlier process wait in the spool") == 2)
        #expect(!FileManager.default.fileExists(atPath: MortalExporter.spool(in: folder)))
    }

    /// The moment of a kill.
    enum Moment: CaseIterable {
        /// The receiver has stored the samples, and its answer finds nobody.
        case beforeAnswer
        /// The answer is on its way, or just noted, or just written down.
        case afterAnswer
        /// The receiver never answers.
        case unanswered
    }

    @Test(arguments: Moment.allCases)
    func `a kill at a request costs a reading at most and stores nothing twice`(_ moment: Moment) throws {
        let folder = TemporaryFolder()
        let receiver = try OutageReceiver(.refused)
        let settings = ["REMOTE_WRITE_MAX_SAMPLES_PER_SEND": "100", "REMOTE_WRITE_MESSAGE": "2.0"]
        let exporter = MortalExporter(folder, MortalExporter.pushing(to: receiver.url).merging(settings) { $1 })
        var least: [Int] = []
        for round in 1...4 {
            try receiver.change(to: .refused)
            try exporter.startAndWait()
            try exporter.awaitSpool()
            try exporter.awaitReadings(2)
            switch moment {
            case .beforeAnswer:
                let requests = Monitor(0)
                least.append(exporter.reading - 1)
                let pid = try #require(exporter.pid)
                try receiver.change(to: .taken) { _ in
                    let count = requests.change { count -> Int in
                        count += 1
                        return count
                    }
                    if count == round { kill(pid, SIGKILL) }
                }
            case .afterAnswer:
                least.append(exporter.reading - 1)
                try receiver.change(to: .taken)
                #expect(receiver.waitForAnswers(round * 2))
                exporter.signal(SIGKILL)
            case .unanswered:
                least.append(exporter.reading - 1)
                try receiver.change(to: .unanswered)
                #expect(receiver.waitForRequests(1))
                exporter.signal(SIGKILL)
            }
            try exporter.expectKilled()
        }
        try receiver.change(to: .taken)
        try exporter.startAndWait()
        try exporter.awaitEmptySpool(in: folder)
        try exporter.awaitReadings(1)
        least.append(try exporter.terminateNoting())
        expectNothingLost(receiver, least: least)
    }

    @Test(arguments: [OutageReceiver.Condition.refused, .absent, .unanswered])
    func `a stop in an outage waits for nobody, and the next start sends what was left`(
        _ outage: OutageReceiver.Condition
    ) throws {
        let folder = TemporaryFolder()
        let receiver = try OutageReceiver(.taken)
        let exporter = MortalExporter(folder, MortalExporter.pushing(to: receiver.url))
        try exporter.startAndWait()
        exporter.start(rooms: ["one"])
        try exporter.awaitReadings(2)
        try receiver.change(to: outage)
        try exporter.awaitSpool()
        try exporter.awaitReadings(2)
        let start = SystemTime().monotonic()
        var least = [try exporter.terminateNoting()]
        #expect(Promptness.holds(since: start, within: .seconds(5)))
        #expect(FileManager.default.fileExists(atPath: MortalExporter.spool(in: folder)))

        try receiver.change(to: .taken)
        try exporter.startAndWait()
        try exporter.awaitEmptySpool(in: folder)
        try exporter.awaitReadings(1)
        least.append(try exporter.terminateNoting())
        expectNothingLost(receiver, least: least)
        // Every series was ended at both stops.
        let up = try #require(ReceivedReadings(receiver).samples(of: "up").first)
        #expect(up.count { $0.isStale } == 2)
        #expect(up.last?.isStale == true)
        let rooms = try #require(ReceivedReadings(receiver).samples(of: "lk_rooms_started_total").first)
        #expect(rooms.count { $0.isStale } == 2)
        #expect(rooms.filter { !$0.isStale }.last?.value == 1)
    }

    @Test func `a real Prometheus counts every event over an outage with a stop and a kill`() throws {
        let folder = TemporaryFolder()
        let prometheus = try PrometheusServer()
        let exporter = MortalExporter(folder, MortalExporter.pushing(to: prometheus.writeURL))
        try exporter.startAndWait()
        try exporter.awaitReadings(2)
        exporter.start(rooms: ["one", "two", "three"])
        try exporter.awaitReadings(2)
        prometheus.stop()
        try exporter.awaitSpool()
        exporter.start(rooms: ["four"])
        try exporter.awaitReadings(2)
        var least = [try exporter.terminateNoting()]
        try exporter.startAndWait()
        exporter.start(rooms: ["five", "six"])
        try exporter.awaitReadings(2)
        least.append(try exporter.killNoting())
        try exporter.startAndWait()
        exporter.start(rooms: ["seven"])
        try exporter.awaitReadings(2)
        try prometheus.start()
        try exporter.awaitEmptySpool(in: folder)
        try exporter.awaitReadings(2)
        least.append(try exporter.terminateNoting())

        let metric = "lk_rooms_started_total"
        #expect(try prometheus.query("resets(\(metric)[10m])").map(\.value) == [0])
        let points = try #require(try prometheus.query("\(metric)[10m]").first).points
        #expect(points.first?.value == 0)
        #expect(points.last?.value == 7)
        // There is no difference beyond what `increase()` extrapolates to the ends of its range.
        let increase = try #require(try prometheus.query("increase(\(metric)[10m])").first).value
        #expect((7 * 0.999...7 * 1.2).contains(increase), "\(increase)")
        let readings = try #require(try prometheus.query("lkpush_remote_write_readings_total[10m]").first).points
        var ends: [Int] = []
        for number in readings.map({ Int($0.value) }) {
            if number == 1 { ends.append(0) }
            let last = try #require(ends.last)
            #expect(number == last + 1)
            ends[ends.count - 1] = number
        }
        #expect(zip(ends, least).allSatisfy { $0 >= $1 } && ends.count == least.count, "\(ends) \(least)")
    }
}
