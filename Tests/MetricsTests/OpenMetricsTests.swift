import Metrics
import Testing
import Wire

@Suite struct OpenMetricsTests {
    private let registry = Registry(maxSeries: 1_000, clock: { Timestamp(milliseconds: 1_790_000_000_250) })

    /// The page without the registry's own families.
    private func page(_ format: Exposition.Format) -> String {
        var bytes: [UInt8] = []
        Exposition.append(registry, as: format, to: &bytes)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            .filter { !$0.contains("lkpush_series") && !$0.contains("lkpush_label_values") }
            .joined(separator: "\n")
    }

    private func fill() {
        registry.counter("t_events_total", #"A "quoted" \ and"# + "\n" + "a line.", labels: ["event"])
            .series(["say \"hi\"\\\n🙂"])?.increment(by: 3)
        registry.counter("t_sent_bytes_total", "Bytes.").series()?.increment(by: 1.5)
        let histogram = registry.histogram("t_wait_seconds", "Seconds.", labels: ["org"], bounds: [0.1, 30])
            .series(["o"])
        for value in [0.1, 0.2, 31] { histogram?.observe(value) }
        registry.gauge("t_limit_minutes", "No base unit.").series()?.set(2)
        registry.gauge("t_bare_info", "A gauge by contract.", labels: ["name"]).series(["n"])?.set(1)
    }

    @Test func `the two formats differ in names, units, creation times, bounds and the end`() {
        fill()
        #expect(
            page(.openMetrics) == #"""
                # HELP t_bare_info A gauge by contract.
                # TYPE t_bare_info gauge
                t_bare_info{name="n"} 1
                # HELP t_events A \"quoted\" \\ and\na line.
                # TYPE t_events counter
                t_events_total{event="say \"hi\"\\\n🙂"} 3
                t_events_created{event="say \"hi\"\\\n🙂"} 1790000000.25
                # HELP t_limit_minutes No base unit.
                # TYPE t_limit_minutes gauge
                t_limit_minutes 2
                # HELP t_sent_bytes Bytes.
                # TYPE t_sent_bytes counter
                # UNIT t_sent_bytes bytes
                t_sent_bytes_total 1.5
                t_sent_bytes_created 1790000000.25
                # HELP t_wait_seconds Seconds.
                # TYPE t_wait_seconds histogram
                # UNIT t_wait_seconds seconds
                t_wait_seconds_bucket{org="o",le="0.1"} 1
                t_wait_seconds_bucket{org="o",le="30.0"} 2
                t_wait_seconds_bucket{org="o",le="+Inf"} 3
                t_wait_seconds_sum{org="o"} 31.3
                t_wait_seconds_count{org="o"} 3
                t_wait_seconds_created{org="o"} 1790000000.25
                # EOF
                """#)
        #expect(
            page(.text) == #"""
                # HELP t_bare_info A gauge by contract.
                # TYPE t_bare_info gauge
                t_bare_info{name="n"} 1
                # HELP t_events_total A "quoted" \\ and\na line.
                # TYPE t_events_total counter
                t_events_total{event="say \"hi\"\\\n🙂"} 3
                # HELP t_limit_minutes No base unit.
                # TYPE t_limit_minutes gauge
                t_limit_minutes 2
                # HELP t_sent_bytes_total Bytes.
                # TYPE t_sent_bytes_total counter
                t_sent_bytes_total 1.5
                # HELP t_wait_seconds Seconds.
                # TYPE t_wait_seconds histogram
                t_wait_seconds_bucket{org="o",le="0.1"} 1
                t_wait_seconds_bucket{org="o",le="30"} 2
                t_wait_seconds_bucket{org="o",le="+Inf"} 3
                t_wait_seconds_sum{org="o"} 31.3
                t_wait_seconds_count{org="o"} 3
                """#)
    }

    @Test func `a registry without a clock tells no creation times`() {
        let registry = Registry(maxSeries: 100)
        registry.counter("t_events_total", "Events.").series()?.increment()
        var bytes: [UInt8] = []
        Exposition.append(registry, as: .openMetrics, to: &bytes)
        let page = String(decoding: bytes, as: UTF8.self)
        #expect(page.contains("t_events_total 1\n"))
        #expect(!page.contains("_created"))
        #expect(page.hasSuffix("\n# EOF\n"))
    }

    /// Against `%g` with the shortest digits and `.0` for whole numbers, as the specification lists them.
    @Test(
        arguments: [
            (30.0, "30.0"), (0.1, "0.1"), (14_400, "14400.0"), (100_000, "100000.0"), (999_999.5, "999999.5"),
            (1_000_000, "1e+06"), (1_234_567, "1.234567e+06"), (-2_500_000.5, "-2.5000005e+06"), (1e10, "1e+10"),
            (1e16, "1e+16"), (1e100, "1e+100"), (0.0001, "0.0001"), (0.00001, "1e-05"), (0, "0.0"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"),
        ] as [(Double, String)])
    func `bounds have the canonical form`(value: Double, text: String) {
        #expect(Number.canonical(value) == text)
    }

    @Test func `two metrics that OpenMetrics cannot tell apart stop the program`() async {
        await #expect(processExitsWith: .failure) {
            let registry = Registry(maxSeries: 10)
            _ = registry.counter("rooms_total", "A family named rooms.")
            _ = registry.gauge("rooms", "Another.")
        }
    }
}
