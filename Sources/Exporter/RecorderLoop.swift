package import Platform
import Recording
import Storage
import Wire

/// The `recorder` thread: the one owner of the recorder. Takes events from the intake and answers from the store,
/// applies them in order, and hands on what the recorder wants done.
///
/// Events are applied in batches, at the pace of this thread. What it applied besides events, and what came of it, goes
/// to the journal after each batch: nothing leaves that could not be told again after a restart.
package final class RecorderLoop: Sendable {
    /// What others leave for the recorder besides events: bounded by the look-ups it asked for itself, and by the few
    /// kinds of reports.
    package final class Mailbox: Sendable {
        private let answers = Monitor<[StoreAnswer]>([])
        private let intake: WebhookIntake

        package init(wakes intake: WebhookIntake) { self.intake = intake }

        /// Leaves an answer; never waits.
        package func leave(_ answer: StoreAnswer) {
            answers.change { $0.append(answer) }
            intake.wake()
        }

        /// Waits until there is an answer, but no longer than `deadline`.
        func wait(until deadline: MonotonicTime) {
            _ = answers.wait(until: deadline) { $0.isEmpty ? nil : true }
        }

        func take() -> [StoreAnswer] {
            answers.withLock { answers in
                defer { answers.removeAll() }
                return answers
            }
        }
    }

    /// The bounds of its pace, each with its reason.
    enum Limits {
        /// Events that are applied before answers are looked for again.
        static let eventsPerLook = 32
        /// How long it waits for events.
        static let pace = Duration.seconds(1)
        /// How often the recorder is told the time when nothing happens: each is an entry of the journal.
        static let idlePace = Duration.seconds(5)
        /// How long events are held back for answers that are on their way, when as many wait as may: less than a
        /// webhook waits for room in the intake, so that none is refused for the database's sake.
        static let hold = Duration.milliseconds(400)
    }

    private struct Control {
        var stopBy: MonotonicTime?
        var isFinished = false
    }

    private let intake: WebhookIntake
    private let control: Monitor<Control>
    private let thread: NamedThread

    /// Starts the thread, which waits for the journal to bring the state.
    ///
    /// - Parameters:
    ///   - enforcer: where removals go, where there are any.
    ///   - unknownRooms: tells of rooms without an organization.
    ///   - begin: called on the thread when the state is there, before the first event.
    package init(
        intake: WebhookIntake, mailbox: Mailbox, store: StoreLoop, journal: JournalLoop,
        enforcer: SessionEnforcer? = nil, unknownRooms: UnknownRoomsLog? = nil,
        snapshotInterval: Duration = .seconds(30),
        time: any TimeSource = SystemTime(),
        begin: @escaping @Sendable (RecorderStart) -> Void = { _ in }
    ) {
        let control = Monitor(Control())
        self.intake = intake
        self.control = control
        thread = NamedThread(name: "recorder") {
            if let start = journal.awaitStart() {
                begin(start)
                var worker = RecorderWorker(
                    start, intake: intake, mailbox: mailbox, store: store, journal: journal, enforcer: enforcer,
                    unknownRooms: unknownRooms, snapshotInterval: snapshotInterval, time: time)
                worker.run { control.withLock { $0.stopBy } }
            }
            control.change { $0.isFinished = true }
        }
    }

    /// Applies everything that was accepted, then ends the thread. Events that wait for an organization get it until
    /// `deadline`; then they wait in the journal, or count as if the database had not answered where there is none. The
    /// intake must be closed before. False where the thread did not end in time.
    package func stop(by deadline: MonotonicTime) -> Bool {
        control.change { $0.stopBy = deadline }
        intake.wake()
        let end = deadline + .seconds(1)
        guard control.wait(until: end, { $0.isFinished ? true : nil }) != nil else { return false }
        thread.join()
        return true
    }
}
