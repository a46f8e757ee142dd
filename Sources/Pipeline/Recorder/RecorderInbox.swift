package import Journal
package import Platform
package import Recording
package import Status
import Synchronization

/// The only door of the recorder thread: committed events, answers of the store, requests for a snapshot, and the stop.
/// The thread waits here and nowhere else.
///
/// Any thread may call it, and only the recorder waits. Events are bounded by the reservations that were reserved for them.
/// Answers are bounded by the look-ups that the recorder asked for, and by the few kinds of reports.
package final class RecorderInbox: Sendable {
    /// The bounds of waiting, each with its reason.
    package enum Limits {
        /// The time that events gather before the recorder takes them. Nobody waits for what it does, and two hundred
        /// wake-ups a second cost little where fifty thousand cost half a core.
        package static let gathering: Duration = .milliseconds(5)
    }

    /// A request of the journal for a snapshot.
    package struct SnapshotRequest: Sendable, Equatable {
        /// The snapshot is wanted even where nothing has changed since the last one.
        var isForced: Bool
        /// The snapshot has all remembered ids, not only those since the last one.
        var withAllIDs: Bool
    }

    /// Everything that the recorder takes at one time.
    package struct Contents: Sendable {
        package var events: [AcceptedEvent] = []
        var snapshot: SnapshotRequest?
        /// A reading of the registry is near.
        var wantsUsage = false
        /// Nothing will ever come again.
        package var isLast = false
        /// The deadline of a stop; nil while no stop was asked for.
        var stopBy: MonotonicTime?

        package init() {}
    }

    private struct Mail {
        var events: [AcceptedEvent] = []
        var answers: [StoreAnswer] = []
        var questions: [Question] = []
        var polls: [PollResult] = []
        var snapshot: SnapshotRequest?
        /// A reading of the registry is near.
        var wantsUsage = false
        /// The number of events that ends the wait; `Int.max` while nobody waits for any.
        var awaited = Int.max
        /// No event follows.
        var isClosed = false
        var stopBy: MonotonicTime?
        /// The thread is done.
        var isFinished = false

        /// Something other than events has to be looked at now.
        var isUrgent: Bool {
            !answers.isEmpty || !questions.isEmpty || !polls.isEmpty || snapshot != nil || wantsUsage
                || isClosed && stopBy != nil
        }
    }

    /// The most events that may ever be here: one for each reservation.
    package let capacity: Int
    private let mail = Monitor(Mail())
    /// What the thread has published for people.
    private let published = Mutex(Published())
    private let time: any TimeSource

    package init(capacity: Int, time: any TimeSource = SystemTime()) {
        precondition(capacity > 0, "there is at least one reservation")
        self.capacity = capacity
        self.time = time
    }

    // MARK: Status

    private struct Published {
        var tables: [TableMemory] = []
        var unknownRooms = RecentUnknownRooms.Shown()
    }

    /// What the tables of the recorder hold, about a second ago; empty before the thread began. Any
    /// thread may ask.
    package var tables: [TableMemory] { published.withLock { $0.tables } }

    /// The rooms without an organization, as the recorder last knew them. Any thread may ask.
    package var unknownRooms: RecentUnknownRooms.Shown { published.withLock { $0.unknownRooms } }

    /// Publishes what people may see.
    func publish(_ tables: [TableMemory], _ unknownRooms: RecentUnknownRooms.Shown) {
        published.withLock { $0 = Published(tables: tables, unknownRooms: unknownRooms) }
    }

    // MARK: Store

    /// Leaves an answer of the store.
    package func leave(_ answer: StoreAnswer) { mail.change { $0.answers.append(answer) } }

    // MARK: Poller

    /// Something that is asked of the recorder's state.
    package typealias Question = @Sendable (borrowing Recorder) -> Void

    /// Has the recorder thread answer a question, between events. It must be quick, because events wait meanwhile. It is
    /// not answered if the recorder ends before.
    package func ask(_ question: @escaping Question) { mail.change { $0.questions.append(question) } }

    /// Leaves the result of a poll.
    package func leave(_ result: PollResult) { mail.change { $0.polls.append(result) } }

    /// Takes the questions and the results that are here.
    func takePolls() -> (questions: [Question], results: [PollResult]) {
        mail.withLock { mail in
            if mail.questions.isEmpty && mail.polls.isEmpty { return ([], []) }
            defer { (mail.questions, mail.polls) = ([], []) }
            return (mail.questions, mail.polls)
        }
    }

    // MARK: Reader

    /// Asks for the usage up to now, because a reading of the registry is near. It waits for nothing. What the recorder
    /// counts until then is published when it is on disk.
    package func requestUsage() { mail.change { $0.wantsUsage = true } }

    // MARK: The end

    /// Asks the recorder to apply what is here until `deadline`, and then to end.
    func stop(by deadline: MonotonicTime) { mail.change { $0.stopBy = deadline } }

    /// Notes that the thread is done.
    func finish() { mail.change { $0.isFinished = true } }

    /// Waits until the thread is done; false where `deadline` came first.
    func waitForEnd(until deadline: MonotonicTime) -> Bool {
        mail.wait(until: deadline) { $0.isFinished ? true : nil } ?? false
    }

    // MARK: Recorder

    /// Waits for events or anything urgent, and takes the events and the request for a snapshot.
    ///
    /// The first event waits for others for `gathering`, unless half of the reservations are taken or something is urgent.
    /// Waking a thread costs more than most events.
    package func take(into contents: inout Contents, until deadline: MonotonicTime?) {
        let half = max(1, capacity / 2)
        mail.wait(until: deadline) { mail -> Void? in
            mail.awaited = 1
            return mail.isUrgent || mail.events.count >= 1 ? () : nil
        }
        let end = time.monotonic() + Limits.gathering
        mail.wait(until: end) { mail -> Void? in
            mail.awaited = half
            return mail.isUrgent || mail.events.isEmpty || mail.events.count >= half || mail.isClosed ? () : nil
        }
        contents.events.removeAll(keepingCapacity: true)
        mail.withLock { mail in
            mail.awaited = .max
            swap(&contents.events, &mail.events)
            contents.snapshot = mail.snapshot.take()
            contents.wantsUsage = mail.wantsUsage
            mail.wantsUsage = false
            contents.stopBy = mail.stopBy
            contents.isLast = mail.isClosed && contents.events.isEmpty
        }
    }

    /// Takes the answers that are here.
    func takeAnswers() -> [StoreAnswer] {
        mail.withLock { mail in
            defer { mail.answers.removeAll() }
            return mail.answers
        }
    }

    /// Waits until there is an answer. Nothing else ends the wait before `deadline`.
    func waitForAnswer(until deadline: MonotonicTime) {
        mail.wait(until: deadline) { $0.answers.isEmpty ? nil : () }
    }

    /// Takes the request for a snapshot; nil where there is none.
    func takeSnapshotRequest() -> SnapshotRequest? { mail.withLock { $0.snapshot.take() } }
}

extension RecorderInbox: CommittedEventSink {
    /// Takes committed events. Reservations were made for them.
    package func deliver(_ events: Committed<[AcceptedEvent]>) {
        if events.value.isEmpty { return }
        put(events.value.count) { $0.append(contentsOf: events.value) }
    }

    /// Takes one event that needs no commit.
    func deliver(_ event: Committed<AcceptedEvent>) { put(1) { $0.append(event.value) } }

    private func put(_ count: Int, _ append: (inout [AcceptedEvent]) -> Void) {
        mail.changeWakingIfNeeded { mail in
            precondition(!mail.isClosed && mail.events.count + count <= capacity, "a reservation was made before")
            append(&mail.events)
            return mail.events.count >= mail.awaited
        }
    }

    /// Asks for a snapshot. Requests that were not answered yet become one.
    package func requestSnapshot(isForced: Bool, withAllIDs: Bool) {
        mail.change { mail in
            mail.snapshot = SnapshotRequest(
                isForced: isForced || mail.snapshot?.isForced == true,
                withAllIDs: withAllIDs || mail.snapshot?.withAllIDs == true)
        }
    }

    /// Notes that no event follows.
    package func close() { mail.change { $0.isClosed = true } }
}
