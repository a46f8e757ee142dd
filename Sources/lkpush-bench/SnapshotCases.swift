import LiveKit
import Metrics
import Recording
import Wire

/// Saving a recorder, which stops it meanwhile, and restoring it: two tracks for everybody, a series for everything.
enum SnapshotCases {
    private static let size = Population.Size(participants: 50_000, rooms: 10_000, organizations: 1_000)
    /// Events between two snapshots: 30 s of such an office.
    private static let between = 20_000

    static var all: [BenchmarkCase] {
        [
            BenchmarkCase("snapshot/\(size.text)", per: "snapshot") { save() },
            BenchmarkCase("restore/\(size.text)", per: "snapshot") { restore() },
        ]
    }

    private static func office() -> (Desk, Population) {
        let desk = Desk(.database)
        var population = Population(size, doAllPublish: true)
        population.cover { desk.apply($0, at: Timestamp(milliseconds: $0.createdAt * 1_000)) }
        population.furnish { desk.apply($0, at: Timestamp(milliseconds: $0.createdAt * 1_000)) }
        return (desk, population)
    }

    private static func save() -> Workload {
        var (desk, population) = office()
        var state = 0
        var ids = 0
        return Workload(
            operations: 1,
            prepare: {
                for _ in 0..<between { desk.apply(population.next(), at: population.now) }
            },
            run: {
                var writer = MessageWriter()
                let segments = desk.save(into: &writer)
                state = writer.count
                ids = segments.reduce(0) { $0 + $1.bytes.count }
                blackHole(segments)
            },
            note: { "\(state) bytes of state, \(ids) of new ids" })
    }

    private static func restore() -> Workload {
        let (desk, _) = office()
        var writer = MessageWriter()
        let segments = desk.save(into: &writer)
        let state = writer.bytes
        var restored = 0
        return Workload(
            operations: 1,
            run: {
                do throws(StateFault) {
                    let other = try Desk(state, segments, .database)
                    restored += other.recorder.missingIDs == 0 ? 1 : 0
                } catch {
                    Program.printError("\(error)\n")
                }
            },
            note: { "\(restored) times" })
    }
}
