import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// Two destinations in one program. What one does never delays or changes what the other gets.
@Suite struct SeveralDestinationsTests {
    /// A registry with one counter, and destinations with short intervals.
    private final class Fixture {
        let registry = Registry(maxSeries: 10_000)
        let events: Counter
        let destinations: Destinations
        private let log = Log(level: .error, format: .json)
        private let time = SystemTime()

        init(
            _ receivers: [(name: String, receiver: ScriptedReceiver)], journal: (any ReadingJournal)? = nil,
            _ change: (inout ShipperSettings) -> Void = { _ in }
        ) throws {
            var all: [ShipperSettings] = []
            for (name, receiver) in receivers {
                var settings = ShipperSettings(
                    url: try #require(EndpointURL(receiver.url)),
                    labels: try CommonLabels(job: "lkpush", instance: "one"), userAgent: "lkpush/test")
                settings.destination = name
                settings.schedule = .init(pushInterval: .milliseconds(20), idleInterval: .milliseconds(20))
                settings.delivery.minBackoff = .milliseconds(10)
                settings.delivery.maxBackoff = .milliseconds(80)
                settings.timeout = Waits.limit
                settings.connectTimeout = Waits.limit
                change(&settings)
                all.append(settings)
            }
            events = try #require(registry.counter("test_events_total", "Events.").series())
            destinations = Destinations(all, registry: registry, journal: journal, log: log, time: time)
        }

        /// The value of a metric of the reader or of one destination.
        func own(_ name: String, _ destination: String? = nil) -> Double {
            registry.snapshot().filter { $0.family.name == "lkpush_remote_write_" + name }.flatMap(\.series)
                .filter { destination == nil || $0.labelValues.first == destination }.reduce(0) {
                    switch $1.instrument {
                    case .counter(let counter): $0 + counter.value
                    case .gauge(let gauge): $0 + gauge.value
                    case .histogram: $0
                    }
                }
        }

        /// Waits for this many readings, with an event before each.
        func run(readings: Int) -> Bool {
            var last = own("readings_total")
            let end = last + Double(readings)
            return eventually {
                let now = own("readings_total")
                if now > last { events.increment() }
                last = now
                return now >= end
            }
        }

        func stop(within limit: Duration = Waits.limit) -> ShipperReport {
            destinations.stop(by: time.monotonic() + limit)
        }
    }

    private let up = #"up{instance="one",job="lkpush"}"#
    private let events = #"test_events_total{instance="one",job="lkpush"}"#

    @Test(arguments: [ScriptedReceiver.Answer.hang, .init(400), .init(503), .init(401), .reset])
    func `while one receiver is in trouble, the other gets every reading`(_ trouble: ScriptedReceiver.Answer) throws {
        let (bad, good) = (try ScriptedReceiver(otherwise: trouble), try ScriptedReceiver())
        let fixture = try Fixture([("default", bad), ("eu", good)])
        try fixture.destinations.makeFirstReading()
        #expect(fixture.run(readings: 30))
        // The last reading has to arrive while the other receiver is still in trouble.
        let isThere = eventually {
            let merged = Int(fixture.own("readings_merged_total", "eu"))
            return WriteLog(good.requests).values(up).count >= 30 - merged
        }
        #expect(isThere)
        #expect(fixture.own("samples_accepted_total", "default") == 0)
        #expect(WriteLog(good.requests).violations == [])
        _ = fixture.stop(within: .milliseconds(500))
        let whole = WriteLog(good.requests)
        // A machine that is busy may make readings faster than a thread takes them.
        let merged = fixture.own("readings_merged_total", "eu")
        #expect(Double(whole.values(up).count) == fixture.own("readings_total") - merged)
        #expect(whole.values(events).last == fixture.events.value)
        #expect(fixture.own("samples_enqueued_total", "eu") == fixture.own("samples_accepted_total", "eu"))
    }

    @Test func `no receiver gets the credentials, the headers or the families of another`() throws {
        let (one, other) = (try ScriptedReceiver(), try ScriptedReceiver())
        let fixture = try Fixture([("default", one), ("eu", other)]) { settings in
            if settings.destination == "default" {
                settings.credentials = .bearer(.value(Secret("first-token")))
                settings.headers = [ShipperSettings.header("X-Scope-OrgID", "first")].compactMap { $0 }
                settings.selection = FamilySelection(excluding: ["test_inner_*"])
            } else {
                settings.credentials = .basic(user: "second", password: .value(Secret("second-password")))
                settings.selection = FamilySelection(including: ["test_*"])
            }
        }
        try #require(fixture.registry.gauge("test_inner_size", "Size.").series()).set(1)
        try fixture.destinations.makeFirstReading()
        #expect(fixture.run(readings: 5))
        fixture.destinations.reloadCredentials()
        #expect(fixture.run(readings: 5))
        #expect(fixture.stop().dropped == 0)
        #expect(one.requests.allSatisfy { $0.headers["authorization"] == "Bearer first-token" })
        #expect(one.requests.allSatisfy { $0.headers["x-scope-orgid"] == "first" })
        #expect(
            other.requests.allSatisfy { $0.headers["authorization"] == "Basic c2Vjb25kOnNlY29uZC1wYXNzd29yZA==" })
        #expect(other.requests.allSatisfy { $0.headers["x-scope-orgid"] == nil })
        let (first, second) = (WriteLog(one.requests), WriteLog(other.requests))
        #expect(first.violations + second.violations == [])
        #expect(
            first.series(of: "test_inner_size").isEmpty
                && !first.series(of: "lkpush_remote_write_readings_total").isEmpty)
        #expect(second.series(of: "test_inner_size").count == 1)
        #expect(second.accepted.keys.allSatisfy { $0.hasPrefix("test_") || $0 == up })
        #expect(first.values(events).last == fixture.events.value && second.values(events).last == fixture.events.value)
    }

    @Test func `readings become one for a destination whose journal is slow, and the other gets each`() throws {
        let gate = Monitor(true)
        let journal = MemoryJournal(before: { destination in
            guard destination == "eu" else { return }
            _ = gate.wait(until: Waits.end) { $0 ? true : nil }
        })
        let (quick, slow) = (try ScriptedReceiver(), try ScriptedReceiver())
        let fixture = try Fixture([("default", quick), ("eu", slow)], journal: journal)
        let gauges = fixture.registry.gauge("test_now", "Now.", labels: ["n"])
        try #require(gauges.series(["old"])).set(1)
        try fixture.destinations.makeFirstReading()
        #expect(fixture.run(readings: 3))
        gate.change { $0 = false }
        #expect(fixture.run(readings: 8))
        // One series comes, one goes, and one does both while the destination waits.
        try #require(gauges.series(["new"])).set(7)
        try #require(gauges.series(["short"])).set(1)
        #expect(fixture.run(readings: 4))
        gauges.end(["old"])
        gauges.end(["short"])
        #expect(fixture.run(readings: 8))
        let readings = fixture.own("readings_total")
        gate.change { $0 = true }
        #expect(eventually { fixture.own("readings_merged_total", "eu") > 0 })
        #expect(fixture.run(readings: 3))
        #expect(fixture.stop().dropped == 0)
        let (every, some) = (WriteLog(quick.requests), WriteLog(slow.requests))
        #expect(every.violations + some.violations == [])
        let left = fixture.own("readings_merged_total", "default")
        #expect(Double(every.values(up).count) == fixture.own("readings_total") - left)
        let merged = fixture.own("readings_merged_total", "eu")
        #expect(merged > 10 && merged < readings && left < merged)
        #expect(Double(some.values(up).count) == fixture.own("readings_total") - merged)
        #expect(some.values(events).last == fixture.events.value, "no increment is lost")
        #expect(some.values(events) == some.values(events).sorted())
        func series(_ name: String) -> String { #"test_now{instance="one",job="lkpush",n="\#(name)"}"# }
        #expect(some.accepted[series("old")]?.last?.isStale == true)
        #expect(some.values(series("new")).last == 7)
        #expect(some.accepted[series("short")] == nil, "it was there between two readings of this destination only")
        #expect(every.accepted[series("short")]?.last?.isStale == true)
    }
}
