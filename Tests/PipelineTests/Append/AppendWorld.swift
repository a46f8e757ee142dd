import Journal
import LiveKit
import Platform
import Wire

@testable import Pipeline

/// A shared log and the disk of one replica, both in memory. A test can make them fail, hang, and lose their answers,
/// and can kill the replica that uses them.
final class AppendWorld: Sendable {
    /// The answer of the log to a call.
    enum Behaviour: Sendable, CaseIterable {
        case take
        /// Nothing is appended.
        case fail
        /// Everything is appended, and the caller is told of an error.
        case loseAnswer
        /// Nothing is appended, because another group has the number.
        case conflict
        /// The call waits for another behaviour.
        case hang
    }

    struct State: Sendable {
        var behaviour = Behaviour.take
        /// Behaviours of the next calls, before `behaviour`.
        var next: [Behaviour] = []
        /// The log.
        var groups: [ProducedGroup] = []
        /// All calls, also those that failed.
        var calls: [[ProducedGroup]] = []
        /// The disk.
        var spilled: [(place: Int64, group: ProducedGroup)] = []
        var lastPlace: Int64 = 0
        var isSpillFailing = false
        /// Groups of the spill cannot be read.
        var isReadFailing = false
        /// The number of times that the spill was opened.
        var opens = 0
        /// A caller that began before this one is dead.
        var generation = 0
        var hanging = 0
    }

    let state = Monitor(State())

    func behave(_ behaviour: Behaviour, next: [Behaviour] = []) {
        state.change { state in
            state.behaviour = behaviour
            state.next = next
        }
    }

    /// Kills the replica: nothing that it does has an effect any more.
    func kill() { state.change { $0.generation += 1 } }

    var isHanging: Bool { state.withLock { $0.hanging > 0 } }
    var calls: [[ProducedGroup]] { state.withLock { $0.calls } }

    /// The ids of all events in the log, in order.
    var ids: [String] { state.withLock { $0.groups }.flatMap(\.eventIDs) }

    /// The ids of all events on the disk, in order.
    var spilledIDs: [String] { state.withLock { $0.spilled.map(\.group) }.flatMap(\.eventIDs) }

    /// Makes what one process uses.
    func open(_ interruption: Interruption) -> (log: @Sendable () -> any EventLog, spill: OpenSpill) {
        let generation = state.withLock { $0.generation }
        return (
            { ScriptedEnd(self, generation, interruption) },
            { () throws(JournalError) in try ScriptedSpill(self, generation) }
        )
    }

    fileprivate static let failure = JournalError(.other, "told to fail")
}

private final class ScriptedEnd: EventLog {
    private let world: AppendWorld
    private let generation: Int
    private let interruption: Interruption

    init(_ world: AppendWorld, _ generation: Int, _ interruption: Interruption) {
        self.world = world
        self.generation = generation
        self.interruption = interruption
    }

    func append(_ groups: [ProducedGroup]) throws(JournalError) -> Int64 {
        world.state.change { state in
            state.calls.append(groups)
            state.hanging += 1
        }
        let behaviour = awaitBehaviour()
        let error: JournalError? = world.state.change { state in
            state.hanging -= 1
            guard let behaviour, state.generation == generation else { return AppendWorld.failure }
            switch behaviour {
            case .fail, .hang: return AppendWorld.failure
            case .conflict: return JournalError(.conflict, "told of another group")
            case .take, .loseAnswer: break
            }
            let old = state.groups.count
            for group in groups {
                let same = state.groups.first { $0.producer == group.producer && $0.number == group.number }
                if let same, same != group {
                    state.groups.removeSubrange(old...)
                    return JournalError(.conflict, "another group has the number")
                }
                if same == nil { state.groups.append(group) }
            }
            return behaviour == .loseAnswer ? AppendWorld.failure : nil
        }
        if let error { throw error }
        return Int64(world.ids.count)
    }

    /// Waits while the log hangs; nil where the wait was interrupted.
    private func awaitBehaviour() -> AppendWorld.Behaviour? {
        while !interruption.isInterrupted {
            let found: AppendWorld.Behaviour? = world.state.wait(
                until: SystemTime().monotonic() + .milliseconds(5)
            ) { state in
                if state.generation != self.generation { return .fail }
                if !state.next.isEmpty { return state.next.removeFirst() }
                return state.behaviour == .hang ? nil : state.behaviour
            }
            if let found { return found }
        }
        return nil
    }

    func close() {}
}

private final class ScriptedSpill: EventSpill {
    private let world: AppendWorld
    private let generation: Int
    private(set) var events = 0
    private(set) var size_bytes = 0

    init(_ world: AppendWorld, _ generation: Int) throws(JournalError) {
        self.world = world
        self.generation = generation
        try use { $0.opens += 1 }
    }

    @discardableResult
    private func use<Result: Sendable>(
        _ body: (inout AppendWorld.State) -> Result
    ) throws(JournalError) -> Result {
        let used: (result: Result, events: Int, bytes: Int)? = world.state.change { state in
            guard state.generation == generation, !state.isSpillFailing else { return nil }
            let result = body(&state)
            let groups = state.spilled.map(\.group)
            return (result, groups.reduce(0) { $0 + $1.count }, groups.reduce(0) { $0 + $1.bytes.count })
        }
        guard let used else { throw AppendWorld.failure }
        (events, size_bytes) = (used.events, used.bytes)
        return used.result
    }

    func add(_ groups: [ProducedGroup]) throws(JournalError) {
        try use { state in
            for group in groups {
                state.lastPlace += 1
                state.spilled.append((state.lastPlace, group))
            }
            return true
        }
    }

    func oldest(limit_bytes: Int) throws(JournalError) -> SpilledGroups {
        if world.state.withLock({ $0.isReadFailing }) { throw AppendWorld.failure }
        return try use { state in
            var found = SpilledGroups()
            var bytes = 0
            for (place, group) in state.spilled {
                bytes += group.bytes.count
                if found.last > 0 && bytes > limit_bytes { break }
                found.groups.append(group)
                found.last = place
            }
            return found
        }
    }

    func remove(upTo place: Int64) throws(JournalError) {
        try use { state in
            state.spilled.removeAll { $0.place <= place }
            return true
        }
    }

    func probe() throws(JournalError) { try use { _ in true } }

    func takeRepairs() -> [SpillRepair] { [] }

    func rename(upTo place: Int64, producer: String) throws(JournalError) {
        try use { state in
            for index in state.spilled.indices where state.spilled[index].place <= place {
                state.spilled[index].group.producer = producer
                state.spilled[index].group.number = state.spilled[index].place
            }
            return true
        }
    }

    func close() {}
}

extension ProducedGroup {
    /// The ids of its events, in order.
    var eventIDs: [String] {
        var reader = MessageReader(bytes)
        var ids: [String] = []
        // The group was encoded a moment ago, so it can be read.
        while let field = try? reader.next() {
            guard field == Group.entryField, var entry = try? reader.message() else {
                try? reader.skip()
                continue
            }
            if let event = try? AcceptedEvent(from: &entry) { ids.append(event.event.id) }
        }
        return ids
    }
}
