import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

@Suite struct OutageEstimateTests {
    @Test func `what check says of the queue is no more than it holds`() throws {
        let seed: UInt64 = 20_260_101
        var random = SeededGenerator(seed: seed)
        let registry = Registry(maxSeries: 10_000)
        let family = registry.counter("t_events_total", "T.", labels: ["n"])
        let counters = try (0..<2_000).map { try #require(family.series([String($0)])) }
        for counter in counters { counter.increment(by: Double(random.next() % 1_000_000)) }
        var settings = DeliverySettings()
        settings.queue = .mebibytes(1)
        var delivery = Delivery(settings, limits: BatchLimits(samples: 5_000), seed: seed)
        var table = SeriesTable(
            labels: try CommonLabels(job: "j", instance: "i"),
            schedule: .init(pushInterval: .seconds(15), idleInterval: .seconds(15)))
        var reader = RegistryReader(registry)
        var readings = 0
        while delivery.statistics.droppedInAll == 0 {
            // Half of the counters change, and a tenth of them counts seconds with their fractions.
            for (index, counter) in counters.enumerated() where random.next() % 2 == 0 {
                counter.increment(by: index % 10 == 0 ? Double(random.next() % 1_000) / 977 : 1)
            }
            var block = delivery.emptyBlock()
            let time = Timestamp(milliseconds: 1_700_000_000_000 + Int64(readings) * 15_000)
            try #require(table.take(reader.read(at: time), into: &block) == .made)
            delivery.enqueue(block, &table)
            readings += 1
        }
        let held = Duration.seconds(15) * (readings - 1)
        let told = settings.outage(samples: 2_001, every: .seconds(15))
        #expect(told > .seconds(600) && told <= held, "told \(told), held \(held), seed \(seed)")
        // It is an estimate that people can plan with.
        #expect(held <= told * 3, "told \(told), held \(held), seed \(seed)")
    }
}
