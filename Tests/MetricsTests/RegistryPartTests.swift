import Metrics
import Testing

/// A part of a process that counts for all replicas: what it counts is read from the part, what is said of this
/// process from the whole.
@Suite struct RegistryPartTests {
    private let whole = Registry(maxSeries: 100)

    private func names(_ series: [Series]) -> [String] {
        series.map { ([$0.family.name] + $0.labelValues).joined(separator: " ") }.sorted()
    }

    private func value(_ registry: Registry, _ name: String) -> Double? {
        registry.collect()
        switch registry.series(of: name).first?.instrument {
        case .counter(let counter): return counter.value
        case .gauge(let gauge): return gauge.value
        default: return nil
        }
    }

    @Test func `a part's readings have lk metrics, and the whole's the others`() {
        whole.startRecordingChanges()
        _ = whole.gauge("lkpush_up", "U.").series()
        let part = Registry(partOf: whole)
        part.startRecordingChanges()
        _ = part.gauge("lk_rooms", "R.", labels: ["room"]).series(["a"])
        _ = part.counter("lkpush_commits_total", "C.").series()
        #expect(names(part.takeChanges().added) == ["lk_rooms a"])
        let changes = names(whole.takeChanges().added)
        #expect(changes.contains("lkpush_up") && changes.contains("lkpush_commits_total"))
        #expect(!changes.contains { $0.hasPrefix("lk_") })
    }

    @Test func `a part that began before its reader has its own series in the first reading`() {
        let part = Registry(partOf: whole)
        _ = part.gauge("lk_rooms", "R.", labels: ["room"]).series(["a"])
        _ = part.counter("lkpush_commits_total", "C.").series()
        part.startRecordingChanges()
        whole.startRecordingChanges()
        #expect(names(part.takeChanges().added) == ["lk_rooms a"])
        let changes = names(whole.takeChanges().added)
        #expect(changes.contains("lkpush_commits_total"))
        #expect(!changes.contains { $0.hasPrefix("lk_") })
    }

    @Test func `changed values are in the readings of their own registry`() {
        whole.startRecordingChanges()
        let part = Registry(partOf: whole)
        part.startRecordingChanges()
        let rooms = part.gauge("lk_rooms", "R.").series()
        let commits = part.counter("lkpush_commits_total", "C.").series()
        var slots: [Int32] = []
        whole.takeChangedSlots(into: &slots)
        part.takeChangedSlots(into: &slots)
        rooms?.set(3)
        part.takeChangedSlots(into: &slots)
        #expect(slots.count == 1)
        whole.takeChangedSlots(into: &slots)
        #expect(slots.isEmpty)
        commits?.increment()
        part.takeChangedSlots(into: &slots)
        #expect(slots.isEmpty)
        whole.takeChangedSlots(into: &slots)
        #expect(slots.count == 1)
    }

    @Test func `a snapshot of the whole has everything, sorted`() {
        _ = whole.gauge("lkpush_up", "U.").series()
        let part = Registry(partOf: whole)
        let rooms = part.gauge("lk_rooms", "R.", labels: ["room"])
        for room in ["b", "a"] { _ = rooms.series([room]) }
        _ = part.counter("lkpush_commits_total", "C.").series()
        let snapshot = whole.snapshot()
        #expect(snapshot.map(\.family.name) == snapshot.map(\.family.name).sorted())
        let all = snapshot.flatMap(\.series)
        #expect(Set(["lk_rooms a", "lk_rooms b", "lkpush_commits_total", "lkpush_up"]).isSubset(of: Set(names(all))))
        #expect(snapshot.first { $0.family.name == "lk_rooms" }?.series.map(\.labelValues) == [["a"], ["b"]])
        #expect(names(whole.series(of: "lk_rooms")) == ["lk_rooms a", "lk_rooms b"])
        #expect(whole.descriptors.contains { $0.name == "lk_rooms" })
    }

    @Test func `the whole counts the series of its parts`() {
        whole.collect()
        let before = value(whole, "lkpush_series") ?? 0
        let part = Registry(partOf: whole)
        for room in ["a", "b", "c"] { _ = part.gauge("lk_rooms\(room)", "R.").series() }
        _ = part.counter("lkpush_commits_total", "C.").series()
        #expect(value(whole, "lkpush_series") == before + 4)
        whole.end(part: part)
        #expect(value(whole, "lkpush_series") == before)
    }

    @Test func `a part has room of its own, and what it refuses is counted by the whole`() {
        let part = Registry(partOf: whole)
        let rooms = part.gauge("lk_rooms", "R.", labels: ["room"])
        for room in 0..<120 { _ = rooms.series(["\(room)"]) }
        #expect(part.series(of: "lk_rooms").count == 100)
        #expect(whole.gauge("lkpush_up", "U.").series() != nil)
        whole.collect()
        #expect(whole.series(of: "lkpush_series_refused_total").map(\.labelValues) == [["lk_rooms"]])
        #expect(value(whole, "lkpush_series_refused_total") == 20)
    }

    @Test func `the end of a part ends its series in both readings`() {
        whole.startRecordingChanges()
        _ = whole.gauge("lkpush_up", "U.").series()
        let part = Registry(partOf: whole)
        part.startRecordingChanges()
        _ = part.gauge("lk_rooms", "R.", labels: ["room"]).series(["a"])
        _ = part.counter("lkpush_commits_total", "C.").series()
        _ = (whole.takeChanges(), part.takeChanges())
        whole.end(part: part)
        #expect(names(part.takeChanges().ended) == ["lk_rooms a"])
        #expect(names(whole.takeChanges().ended) == ["lkpush_commits_total"])
        #expect(!whole.snapshot().contains { $0.family.name.hasPrefix("lk_") })
        #expect(whole.series(of: "lkpush_up").count == 1)
        #expect(whole.series(of: "lkpush_commits_total").isEmpty)
    }

    @Test func `parts follow one another, each with the same names`() {
        whole.startRecordingChanges()
        for round in 1...3 {
            let part = Registry(partOf: whole)
            part.startRecordingChanges()
            part.counter("lk_rooms_total", "R.").series()?.increment(by: Double(round))
            part.counter("lkpush_commits_total", "C.").series()?.increment()
            #expect(value(whole, "lk_rooms_total") == Double(round))
            #expect(value(whole, "lkpush_commits_total") == 1)
            #expect(names(part.takeChanges().added) == ["lk_rooms_total"])
            #expect(names(whole.takeChanges().added).contains("lkpush_commits_total"))
            whole.end(part: part)
            #expect(names(whole.takeChanges().ended) == ["lkpush_commits_total"])
            #expect(whole.series(of: "lk_rooms_total").isEmpty)
        }
    }

    @Test func `closures of a part run with those of the whole until its end`() {
        let part = Registry(partOf: whole)
        let gauge = part.gauge("lk_rooms", "R.").series()
        part.onRead { gauge?.set((gauge?.value ?? 0) + 1) }
        whole.collect()
        #expect(gauge?.value == 1)
        whole.end(part: part)
        whole.collect()
        #expect(gauge?.value == 1)
    }
}
