import Journal
import Platform
import SQLite
import TestSupport
import Testing

@testable import Pipeline
@testable import HTTPServing

/// Damages the second group in a spill that nobody has open.
func damageSecondGroup(of directory: String) throws {
    let connection = try Connection(path: "\(directory)/spill.db", ConnectionSettings())
    try connection.execute("UPDATE groups SET bytes = x'00' || substr(bytes, 2) WHERE place = 2")
    connection.close()
}

/// Whatever the log does, and however often the process dies: what was answered with 200 is in the log once.
@Suite struct AppendPropertyTests {
    @Test(arguments: 0..<24, [false, true])
    func `what was accepted is in the log once, and in order unless the spill fails`(seed: Int, spillFails: Bool) {
        var random = SeededGenerator(seed: UInt64(seed) &* 7_919 &+ 1)
        let world = AppendWorld()
        var fixture = AppendFixture(world)
        /// The processes that were killed. They go at the end.
        var dead: [AppendFixture] = []
        var requests: [(id: Int, request: PendingResponse)] = []
        let behaviours: [AppendWorld.Behaviour] = [.take, .take, .take, .fail, .loseAnswer, .hang]
        for id in 1...120 {
            if let request = fixture.offer(id) { requests.append((id, request)) }
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                let count = Int.random(in: 0..<4, using: &random)
                world.behave(
                    behaviours.randomElement(using: &random) ?? .take,
                    next: (0..<count).map { _ in behaviours.randomElement(using: &random) ?? .take })
            case 1 where spillFails: world.state.change { $0.isSpillFailing.toggle() }
            case 2, 3: _ = requests.last?.request.awaited(while: world)
            case 4 where id % 3 == 0:
                world.kill()
                dead.append(fixture)
                // A process that cannot open what waits appends without it, and the order breaks.
                let opens = world.state.change { state in
                    state.isSpillFailing = false
                    return state.opens
                }
                fixture = AppendFixture(world)
                #expect(eventually { world.state.withLock { $0.opens } > opens })
            default: break
            }
        }
        world.state.change { $0.isSpillFailing = false }
        world.behave(.take)
        #expect(eventually { world.spilledIDs.isEmpty && fixture.intake.count == 0 })
        #expect(fixture.stop())
        for fixture in dead {
            _ = fixture.stop(by: SystemTime().monotonic())
            #expect(eventually { fixture.intake.count == 0 })
        }

        let ids = world.ids.compactMap { Int($0.dropFirst(3)) }
        if !spillFails { #expect(ids == ids.sorted(), "the order of one replica stays") }
        #expect(Set(ids).count == ids.count, "nothing is there twice")
        let accepted = requests.filter { $0.request.status == 200 }.map(\.id)
        #expect(Set(accepted).subtracting(ids) == [], "nothing that was accepted is lost")
        let keys = world.state.withLock { $0.groups.map { "\($0.producer) \($0.number)" } }
        #expect(Set(keys).count == keys.count)
        #expect(!accepted.isEmpty)
    }
}

extension PendingResponse {
    /// Waits until there is an answer, or until there cannot be one before the test goes on: the log hangs, or the
    /// process is dead.
    fileprivate func awaited(while world: AppendWorld) -> Bool {
        eventually { answer != nil || world.isHanging }
    }
}
