import LiveKit
import Recording
import Wire

/// The recorder alone, with events that are decoded already.
enum RecorderCases {
    private static let sizes = [
        Population.Size(participants: 5_000, rooms: 1_000, organizations: 100),
        Population.Size(participants: 50_000, rooms: 10_000, organizations: 1_000),
    ]

    static var all: [BenchmarkCase] {
        sizes.flatMap { size in
            [
                BenchmarkCase("apply/fixed/\(size.text)", per: "event") {
                    workload(size, .fixed(id: "org_1", name: "One"))
                },
                BenchmarkCase("apply/database/\(size.text)", per: "event") { workload(size, .database) },
            ]
        }
    }

    private static func workload(_ size: Population.Size, _ source: OrganizationSource) -> Workload {
        let fixture = BenchFixture(source)
        var population = Population(size)
        population.furnish { fixture.apply($0, at: Timestamp(milliseconds: $0.createdAt * 1_000)) }
        // Short enough that other programs do not interrupt most samples.
        let operations = 4_000
        var events: [(event: Event, at: Timestamp)] = []
        events.reserveCapacity(operations)
        var places: [String: Int] = [:]
        for place in 0..<size.participants { places["PA_\(place * 7_919 + 1_000_000_000)"] = place }
        let keys = (0..<operations).map { "PA_\($0 % size.participants * 7_919 + 1_000_000_000)" }
        return Workload(
            operations: operations,
            prepare: {
                events.removeAll(keepingCapacity: true)
                for _ in 0..<operations { events.append((population.next(), population.now)) }
            },
            run: {
                var since = 0
                for (event, at) in events {
                    fixture.apply(event, at: at)
                    since += 1
                    // The recorder's thread passes the time on after each batch that it takes from the queue.
                    if since == 250 {
                        since = 0
                        fixture.tick(at: at)
                    }
                }
            },
            lowerBound: .init(name: "one dictionary look-up", operations: operations) {
                var sum = 0
                for key in keys { sum &+= places[key] ?? 0 }
                blackHole(sum)
            })
    }
}
