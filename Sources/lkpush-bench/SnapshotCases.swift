import LiveKit
import Metrics
import Recording
import Wire

/// The saving of a recorder, which stops it meanwhile, and its restoring: everybody has two tracks, and every series
/// exists.
enum SnapshotCases {
    private static let size = Population.Size(participants: 50_000, rooms: 10_000, organizations: 1_000)
    /// The number of events between two snapshots: 30 s of a LiveKit of this size.
    private static let between = 20_000

    static var all: [BenchmarkCase] {
        [
            BenchmarkCase("snapshot/\(size.text)", per: "snapshot") { save() },
            BenchmarkCase("restore/\(size.text)", per: "snapshot") { restore() },
        ]
    }

    private static func office() -> (BenchFixture, Population) {
        let fixture = BenchFixture(.database)
        var population = Population(size, doAllPublish: true)
        population.cover { fixture.apply($0, at: Timestamp(milliseconds: $0.createdAt * 1_000)) }
        population.furnish { fixture.apply($0, at: Timestamp(milliseconds: $0.createdAt * 1_000)) }
        return (fixture, population)
    }

    private static func save() -> Workload {
        var (fixture, population) = office()
        var state = 0
        var ids = 0
        return Workload(
            operations: 1,
            prepare: {
                for _ in 0..<between { fixture.apply(population.next(), at: population.now) }
            },
            run: {
                var writer = MessageWriter()
                let segments = fixture.save(into: &writer)
                state = writer.count
                ids = segments.reduce(0) { $0 + $1.bytes.count }
                blackHole(segments)
            },
            note: { "\(state) bytes of state, \(ids) of new ids" })
    }

    private static func restore() -> Workload {
        let (fixture, _) = office()
        var writer = MessageWriter()
        let segments = fixture.save(into: &writer)
        let state = writer.bytes
        var restored = 0
        return Workload(
            operations: 1,
            run: {
                do throws(StateFault) {
                    let other = try BenchFixture(state, segments, .database)
                    restored += other.recorder.missingIDs == 0 ? 1 : 0
                } catch {
                    Program.printError("\(error)\n")
                }
            },
            note: { "\(restored) times" })
    }
}
