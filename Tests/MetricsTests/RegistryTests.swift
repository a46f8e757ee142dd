import Metrics
import Platform
import Synchronization
import Testing

@Suite struct RegistryTests {
    private func page(_ registry: Registry, of prefix: String = "t_") -> String {
        var bytes: [UInt8] = []
        Exposition.append(registry, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .filter { $0.hasPrefix(prefix) || $0.hasPrefix("# HELP \(prefix)") || $0.hasPrefix("# TYPE \(prefix)") }
            .joined(separator: "\n")
    }

    @Test func `families and series are written sorted, labels in the order they were declared`() {
        let registry = Registry(maxSeries: 1_000)
        let rooms = registry.gauge("t_rooms", "Rooms.", labels: ["zone", "area"])
        let events = registry.counter("t_events_total", "Events.", labels: ["event"])
        rooms.series(["b", "x"])?.set(2)
        rooms.series(["a", "y"])?.set(1.5)
        events.series(["joined"])?.increment()
        events.series(["joined"])?.increment(by: 2)
        #expect(
            page(registry) == """
                # HELP t_events_total Events.
                # TYPE t_events_total counter
                t_events_total{event="joined"} 3
                # HELP t_rooms Rooms.
                # TYPE t_rooms gauge
                t_rooms{zone="a",area="y"} 1.5
                t_rooms{zone="b",area="x"} 2
                """)
    }

    @Test func `a histogram counts each observation in its bucket and all above`() {
        let registry = Registry(maxSeries: 1_000)
        let histogram = registry.histogram("t_seconds", "Seconds.", labels: ["org"], bounds: [0.1, 30]).series(["o"])
        for value in [0.1, 0.2, 30, 31, .nan] { histogram?.observe(value) }
        #expect(
            page(registry) == """
                # HELP t_seconds Seconds.
                # TYPE t_seconds histogram
                t_seconds_bucket{org="o",le="0.1"} 1
                t_seconds_bucket{org="o",le="30"} 3
                t_seconds_bucket{org="o",le="+Inf"} 4
                t_seconds_sum{org="o"} 61.3
                t_seconds_count{org="o"} 4
                """)
    }

    @Test func `label values and help are escaped`() {
        let registry = Registry(maxSeries: 1_000)
        registry.gauge("t_info", #"A \ and"# + "\n" + "a line.", labels: ["name"])
            .series(["say \"hi\"\\\n🙂"])?.set(1)
        #expect(
            page(registry) == #"""
                # HELP t_info A \\ and\na line.
                # TYPE t_info gauge
                t_info{name="say \"hi\"\\\n🙂"} 1
                """#)
    }

    @Test(
        arguments: [
            (30.0, "30"), (0.1, "0.1"), (5953, "5953"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
            (-0.5, "-0.5"), (1e21, "1e+21"), (9_007_199_254_740_992, "9007199254740992"), (0, "0"),
        ] as [(Double, String)])
    func `numbers are written in their shortest form`(value: Double, text: String) {
        #expect(Number.text(value) == text)
    }

    @Test func `the counter of refusals is there when everything else is refused`() {
        let registry = Registry(maxSeries: 2)
        #expect(registry.counter("test_total", "T.", labels: ["n"]).series(["1"]) == nil)
        registry.collect()
        #expect(registry.series(of: "lkpush_series_refused_total").map(\.labelValues) == [["test_total"]])
        #expect(registry.series(of: "lkpush_series").count == 1)
        #expect(registry.series(of: "test_total").isEmpty)
        #expect(registry.series(of: "no_such_family").isEmpty)
    }

    @Test func `a full registry refuses new series, counts them, tells once, and keeps the old ones`() {
        let told = Mutex<[String]>([])
        let registry = Registry(maxSeries: 10) { family in told.withLock { $0.append(family) } }
        let gauge = registry.gauge("t_rooms", "Rooms.", labels: ["n"])
        let histogram = registry.histogram("t_seconds", "Seconds.", bounds: [1, 2])
        // The registry's own two series are in it already.
        for number in 0..<8 { #expect(gauge.series(["\(number)"]) != nil) }
        #expect(gauge.series(["8"]) == nil)
        #expect(gauge.series(["9"]) == nil)
        #expect(histogram.series() == nil)
        #expect(gauge.series(["3"]) != nil)
        #expect(told.withLock { $0 } == ["t_rooms", "t_seconds"])
        gauge.end(["0"])
        #expect(gauge.series(["8"]) != nil)
        #expect(gauge.series(["9"]) == nil)
    }

    @Test func `refusals are metrics once there is room for them`() {
        let registry = Registry(maxSeries: 4)
        let gauge = registry.gauge("t_rooms", "Rooms.", labels: ["n"])
        for number in 0..<5 { _ = gauge.series(["\(number)"]) }
        gauge.end(["0"])
        registry.collect()
        #expect(page(registry, of: "lkpush_series_refused_total").hasSuffix(#"{family="t_rooms"} 3"#))
    }

    @Test func `a label value that is too long is cut between characters and counted`() {
        let registry = Registry(maxSeries: 100)
        let gauge = registry.gauge("t_info", "Info.", labels: ["name"])
        let long = String(repeating: "é", count: 600)
        gauge.series([long])?.set(1)
        gauge.series([long])?.set(2)
        #expect(page(registry).hasSuffix("t_info{name=\"\(String(repeating: "é", count: 512))\"} 2"))
        #expect(page(registry, of: "lkpush_label_values_cut_total").hasSuffix(" 2"))
    }

    @Test func `the log tells one reader which series came and went, in order`() {
        let registry = Registry(maxSeries: 100)
        let gauge = registry.gauge("t_rooms", "Rooms.", labels: ["n"])
        _ = gauge.series(["before"])
        registry.startRecordingChanges()
        func names(_ series: [Series]) -> [String] { series.map { $0.labelValues.first ?? $0.family.name } }
        #expect(names(registry.takeChanges().added) == ["lkpush_label_values_cut_total", "lkpush_series", "before"])
        _ = gauge.series(["b"])
        _ = gauge.series(["a"])
        _ = gauge.series(["a"])
        _ = gauge.series(["brief"])
        gauge.end(["brief"])
        gauge.end(["before"])
        let changes = registry.takeChanges()
        #expect(names(changes.added) == ["b", "a"])
        #expect(names(changes.ended) == ["before"])
        #expect(registry.takeChanges().added.isEmpty)
    }

    @Test func `a series that ends and comes back starts from zero as another series`() {
        let registry = Registry(maxSeries: 100)
        let counter = registry.counter("t_events_total", "Events.", labels: ["n"])
        registry.startRecordingChanges()
        counter.series(["a"])?.increment(by: 5)
        let first = registry.takeChanges().added.last
        counter.end(["a"])
        counter.series(["a"])?.increment()
        let changes = registry.takeChanges()
        #expect(changes.ended.count == 1 && changes.ended.first === first)
        #expect(changes.added.count == 1 && changes.added.first !== first)
        #expect(page(registry).hasSuffix(#"t_events_total{n="a"} 1"#))
    }

    @Test func `threads may count at the same time without losing any`() async {
        let registry = Registry(maxSeries: 100)
        let counter = registry.counter("t_events_total", "Events.")
        let histogram = registry.histogram("t_seconds", "Seconds.", bounds: [1])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.series()?.increment()
                        histogram.series()?.observe(0.5)
                    }
                }
            }
        }
        #expect(counter.series()?.value == 40_000)
        #expect(histogram.series()?.current == .init(counts: [40_000, 0], sum: 20_000))
    }

    @Test func `a declaration that Prometheus would refuse stops the program`() async {
        await #expect(processExitsWith: .failure) {
            _ = Registry(maxSeries: 10).counter("events", "Not a counter's name.")
        }
        await #expect(processExitsWith: .failure) {
            _ = Registry(maxSeries: 10).gauge("1rooms", "Starts with a digit.")
        }
        await #expect(processExitsWith: .failure) {
            let registry = Registry(maxSeries: 10)
            _ = registry.gauge("rooms", "Once.")
            _ = registry.gauge("rooms", "Twice.")
        }
    }

    @Test func `no series is missed that comes while the recording of changes begins`() throws {
        for _ in 0..<30 {
            let registry = Registry(maxSeries: 10_000)
            let family = registry.counter("t_total", "T.", labels: ["n"])
            for number in 0..<300 { _ = family.series(["before \(number)"]) }
            let hasBegun = Monitor(false)
            let thread = NamedThread(name: "maker") {
                for number in 0..<2_000 {
                    _ = family.series(["meanwhile \(number)"])
                    if number == 20 { hasBegun.change { $0 = true } }
                }
            }
            let _: Bool? = hasBegun.wait(until: nil) { $0 ? true : nil }
            registry.startRecordingChanges()
            thread.join()
            #expect(registry.takeChanges().added.count == 2_300 + 2)
        }
    }
}
