import Journal
import LiveKit
import Metrics
import Platform
import Recording
import RemoteWrite
import Storage
import TestSupport
import Testing
import Wire

@testable import Pipeline

/// Whatever replicas append, whatever becomes of commits, and however often the leader changes: the totals and the
/// rows are those of one recorder that was fed with the log.
@Suite struct InterleavingTests {
    /// Rooms with people that come and go, and the replicas that hear of it.
    private struct Office {
        private var random: SeededGenerator
        private var people: [Int: [Int]] = [:]
        private var nextEvent = 0
        private var nextRoom = 0
        private var nextPerson = 0
        private var numbers: [String: Int64] = [:]
        private var groups: [ProducedGroup] = []
        private var events: [AcceptedEvent] = []

        init(_ random: SeededGenerator) { self.random = random }

        /// The groups of a moment: new events, and repeated ones.
        mutating func next() -> [ProducedGroup] {
            var appended: [ProducedGroup] = []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                switch Int.random(in: 0..<10, using: &random) {
                // A replica does not know that the log has the group.
                case 0: if let group = groups.randomElement(using: &random) { appended.append(group) }
                // LiveKit does not know that a replica has the event, and tells another one.
                case 1:
                    if let event = events.suffix(20).randomElement(using: &random) { appended.append(group([event])) }
                default: appended.append(group((0..<Int.random(in: 1...3, using: &random)).map { _ in event() }))
                }
            }
            return appended
        }

        private mutating func group(_ events: [AcceptedEvent]) -> ProducedGroup {
            let producer = ["a", "b", "c"].randomElement(using: &random) ?? "a"
            numbers[producer, default: 0] += 1
            let group = ProducedGroup(events, producer: producer, number: numbers[producer] ?? 0)
            groups.append(group)
            return group
        }

        private mutating func event() -> AcceptedEvent {
            nextEvent += 1
            let now = SystemTime().now()
            let room: Int
            let body: Event.Body
            let open = people.keys.sorted().randomElement(using: &random)
            let choice = Int.random(in: 0..<8, using: &random)
            if let open, choice > 1 {
                room = open
                if choice < 5 {
                    nextPerson += 1
                    people[room, default: []].append(nextPerson)
                    body = .participantJoined(person(nextPerson, now))
                } else if choice < 7, let person = people[room]?.popLast() {
                    body = .participantLeft(self.person(person, now))
                } else {
                    people[room] = nil
                    body = .roomFinished
                }
            } else {
                nextRoom += 1
                room = nextRoom
                people[room] = []
                body = .roomStarted
            }
            let event = AcceptedEvent(
                event: Event(
                    id: "EV_\(nextEvent)", createdAt: now.milliseconds / 1_000,
                    room: Room(sid: "RM_\(room)", name: "room \(room)", creationTime_s: now.milliseconds / 1_000 - 60),
                    body: body), receivedAt: now)
            events.append(event)
            return event
        }

        private func person(_ number: Int, _ now: Timestamp) -> Participant {
            Participant(
                sid: "PA_\(number)", identity: "\(number)", joinedAt_s: now.milliseconds / 1_000 - 30)
        }
    }

    /// The result that one recorder makes of everything in the log.
    private struct Truth {
        let page: [String]
        let rows: [RowPosition: StoreRow]

        init(_ log: MemoryLog) throws {
            let registry = Registry(maxSeries: 10_000)
            var recorder = Recorder(settings: LogTenure.settings, catalog: LogTenure.catalog(in: registry))
            let contents = log.contents.withLock { $0 }
            var inputs = try contents.allInputs.map {
                var reader = MessageReader($0.bytes)
                return (number: $0.number, entry: try InputEntry(from: &reader))
            }[...]
            var (event, input, last): (Int64, Int64, Int64) = (0, 0, 0)
            var rows: [NumberedRow] = []
            var actions: [Action] = []
            func apply(_ next: Input) {
                recorder.apply(next, into: &actions)
                NumberedRow.append(actions, of: event + input, after: &last, to: &rows)
                actions.removeAll()
            }
            func applyInputs(before number: Int64) {
                while let next = inputs.first, next.entry.after < number {
                    inputs.removeFirst()
                    input = next.number
                    apply(next.entry.input)
                }
            }
            for entry in contents.allEvents where entry.number <= contents.numbers.lastEvent {
                applyInputs(before: entry.number)
                var reader = MessageReader(entry.bytes)
                let accepted = try AcceptedEvent(from: &reader)
                event = entry.number
                apply(.event(accepted.event, receivedAt: accepted.receivedAt))
            }
            applyInputs(before: .max)
            recorder.takeUsageReading().publish()
            page = LogTenure.page(of: registry)
            self.rows = Dictionary(
                rows.compactMap { row in row.position.map { ($0, row.row) } }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// The rows as the database has them: the first one at a position counts.
    private struct Database {
        var rows: [RowPosition: StoreRow] = [:]
        /// A position came twice, with different rows.
        var conflicts = 0

        mutating func take(_ tenure: LogTenure) {
            for row in tenure.rows {
                guard let position = row.position else { continue }
                if let before = rows[position], before != row.row { conflicts += 1 }
                rows[position] = rows[position] ?? row.row
            }
        }
    }

    private static func fault(_ random: inout SeededGenerator) -> MemoryLog.Fault {
        MemoryLog.Fault.allCases.randomElement(using: &random) ?? .none
    }

    @Test(arguments: 0..<16)
    func `any interleaving gives what one recorder makes of the log`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed) &* 104_729 &+ 3)
        let log = MemoryLog()
        var office = Office(random)
        var database = Database()
        var tenure = LogTenure(log)
        tenure.startRecorder()
        var reading: Int64 = 0
        /// The readings that were sent, with the epoch of the sender.
        var sent: [(epoch: Int64, at: Int64)] = []
        for _ in 0..<70 {
            log.append(office.next())
            if Bool.random(using: &random) { tenure.inbox.noteAppended() }
            switch Int.random(in: 0..<14, using: &random) {
            case 0, 1:
                let faults = (0..<Int.random(in: 1...3, using: &random)).map { _ in Self.fault(&random) }
                log.contents.change { $0.faults = faults }
            case 2, 3:
                reading += 1_000
                if tenure.read(at: reading) == .maySend { sent.append((tenure.epoch, reading)) }
            case 4: tenure.recorderInbox.requestSnapshot(isForced: true, withAllIDs: false)
            case 5: tenure.recorderInbox.requestUsage()
            case 6, 7:
                let count = log.contents.withLock { $0.allEvents.count }
                #expect(eventually { log.numbers.lastEvent >= Int64(count) })
            case 8:
                // The old leader does not know yet, and goes on beside the new one.
                let old = tenure
                tenure = LogTenure(log)
                #expect(tenure.start != nil)
                tenure.startRecorder()
                reading += 1_000
                #expect(old.read(at: reading) == .withhold)
                old.abandon()
                database.take(old)
            default: break
            }
        }
        log.contents.change { $0.faults = [] }
        #expect(tenure.stop())
        database.take(tenure)

        let contents = log.contents.withLock { $0 }
        #expect(contents.numbers.lastEvent == Int64(contents.allEvents.count), "everything is applied")
        let truth = try Truth(log)
        #expect(tenure.page == truth.page)
        #expect(database.conflicts == 0)
        #expect(database.rows == truth.rows)
        #expect(!truth.rows.isEmpty && truth.page.contains { $0.hasPrefix("lk_rooms_started_total") })
        // Each reading that was sent was committed by its sender, and no older epoch came after a newer one.
        let epochs = contents.readings.map(\.epoch)
        #expect(epochs == epochs.sorted())
        for one in sent {
            #expect(
                contents.readings.contains { $0.epoch == one.epoch && $0.at >= Timestamp(milliseconds: one.at) })
        }
    }
}
