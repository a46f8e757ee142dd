import RemoteWrite

/// One tick of the shipper: it reads, encodes, compresses and queues the samples, and settles sent ones.
enum TickCases {
    static var all: [BenchmarkCase] {
        [
            BenchmarkCase("tick/all due", per: "sample") { allDue() },
            BenchmarkCase("tick/all due/allocations per tick", per: "tick") {
                var work = allDue()
                work.operations = 1
                work.lowerBound = work.lowerBound.map { .init(name: $0.name, operations: 1, run: $0.run) }
                return work
            },
            BenchmarkCase("tick/with a spool", per: "sample") { withSpool() },
            BenchmarkCase("tick/none changed", per: "series read") { noneChanged() },
        ]
    }

    private static func allDue() -> Workload {
        let large = LargeRegistry()
        let pusher = Pusher(large.fixture.registry, idleInterval: .seconds(15))
        var turn = 0
        large.change(turn)
        pusher.tick(after: .seconds(15))
        large.change(1)
        let before = pusher.samples
        pusher.tick(after: .seconds(15), keepsBodies: true)
        let samples = Int(pusher.samples - before)
        let raw = pusher.bodies.map { Snappy.decompress($0, limit: 64 << 20) ?? [] }
        let (rows, requests) = (pusher.rowCount, raw.count)
        let sizes = (raw.reduce(0) { $0 + $1.count }, pusher.bodies.reduce(0) { $0 + $1.count })
        var output: [UInt8] = []
        return Workload(
            operations: samples,
            prepare: {
                turn += 1
                large.change(turn)
            },
            run: { pusher.tick(after: .seconds(15)) },
            lowerBound: .init(name: "snappy of the same bytes", operations: samples) {
                for body in raw { blackHole(Snappy.compress(body[...], into: &output)) }
            },
            note: {
                "\(rows) series, \(samples) samples, \(requests) requests, \(sizes.0) bytes, \(sizes.1) compressed"
            })
    }

    /// A healthy destination with a spool beside one without.
    private static func withSpool() -> Workload {
        let (large, other) = (LargeRegistry(), LargeRegistry())
        let pusher = Pusher(large.fixture.registry, idleInterval: .seconds(15))
        let plain = Pusher(other.fixture.registry, idleInterval: .seconds(15), hasSpool: false)
        for pusher in [pusher, plain] { pusher.tick(after: .seconds(15)) }
        let rows = pusher.rowCount
        return Workload(
            operations: rows, run: { pusher.tick(after: .seconds(15)) },
            lowerBound: .init(name: "the same without a spool", operations: rows) { plain.tick(after: .seconds(15)) },
            note: { "\(rows) series, nothing is written" })
    }

    private static func noneChanged() -> Workload {
        let large = LargeRegistry()
        let pusher = Pusher(large.fixture.registry, idleInterval: .seconds(60))
        for _ in 0..<3 { pusher.tick(after: .seconds(15)) }
        let rows = pusher.rowCount
        let before = pusher.samples
        // So close together that neither a grid line nor an idle interval lies between them.
        pusher.tick(after: .milliseconds(1))
        let due = pusher.samples - before
        let source = [UInt64](repeating: 1, count: rows)
        var copy = source
        return Workload(
            operations: rows,
            run: { pusher.tick(after: .milliseconds(1)) },
            lowerBound: .init(name: "memcpy of the values", operations: rows) {
                copyBytes(of: source, to: &copy)
            },
            note: { "\(rows) series, of which \(due) are due at every tick" })
    }
}
