package import Platform
package import Recording
import Storage
import Wire

/// The `recorder` thread: the one owner of the recorder. Takes events from the intake and answers from the store,
/// applies them in order, and hands on what the recorder wants done.
///
/// Events are applied in batches, at the pace of this thread; at least once a second the recorder is told the time.
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

    /// Events that are applied before answers are looked for again.
    private static let eventsPerLook = 32
    /// How often the recorder is told the time when nothing happens.
    private static let pace = Duration.seconds(1)

    /// How long events are held back for answers that are on their way, when as many wait as may: less than a webhook
    /// waits for room in the intake, so that none is refused for the database's sake.
    private static let hold = Duration.milliseconds(400)

    private struct Control {
        var stopBy: MonotonicTime?
        var isFinished = false
    }

    private let intake: WebhookIntake
    private let control: Monitor<Control>
    private let thread: NamedThread

    /// Starts the thread.
    /// - Parameters:
    ///   - recorder: made by the caller, owned by the thread from now on.
    ///   - store: where rows and look-ups go.
    ///   - enforcer: where removals go, where there are any.
    package init(
        _ recorder: Recorder, intake: WebhookIntake, mailbox: Mailbox, store: StoreLoop,
        enforcer: SessionEnforcer? = nil, time: any TimeSource = SystemTime()
    ) {
        let control = Monitor(Control())
        self.intake = intake
        self.control = control
        thread = NamedThread(name: "recorder") {
            var worker = Worker(
                recorder: recorder, intake: intake, mailbox: mailbox, store: store, enforcer: enforcer, time: time)
            worker.run { control.withLock { $0.stopBy } }
            control.change { $0.isFinished = true }
        }
    }

    /// Applies everything that was accepted, then ends the thread. Events that wait for an organization get it until
    /// `deadline`; then they count as if the database had not answered. The intake must be closed before.
    /// False where the thread did not end in time.
    package func stop(by deadline: MonotonicTime) -> Bool {
        control.change { $0.stopBy = deadline }
        intake.wake()
        let end = deadline + .seconds(1)
        guard control.wait(until: end, { $0.isFinished ? true : nil }) != nil else { return false }
        thread.join()
        return true
    }

    /// What lives on the thread.
    private struct Worker {
        var recorder: Recorder
        let intake: WebhookIntake
        let mailbox: Mailbox
        let store: StoreLoop
        let enforcer: SessionEnforcer?
        let time: any TimeSource
        var actions: [Action] = []
        var batch: [AcceptedEvent] = []
        /// The database has answered since events were last held back for it in vain.
        var mayHold = true

        mutating func run(stopBy: () -> MonotonicTime?) {
            while true {
                let wait = intake.drain(into: &batch, until: time.monotonic() + RecorderLoop.pace)
                turn()
                guard wait == .finished, let deadline = stopBy() else { continue }
                settle(until: deadline)
                return
            }
        }

        private mutating func turn() {
            for (index, event) in batch.enumerated() {
                // Answers are looked for between events too: those that wait for one should not pile up.
                if index % RecorderLoop.eventsPerLook == 0 { takeAnswers() }
                if recorder.isWaitingRoomFull && mayHold { holdForAnswers() }
                apply(.event(event.event, receivedAt: event.receivedAt))
            }
            takeAnswers()
            apply(.time(at: time.now()))
        }

        /// A database that is only slow should not make events count under `unknown`. One that does not answer holds
        /// nothing back a second time.
        private mutating func holdForAnswers() {
            let deadline = time.monotonic() + RecorderLoop.hold
            while recorder.isWaitingRoomFull && time.monotonic() < deadline {
                mailbox.wait(until: deadline)
                takeAnswers()
            }
            mayHold = !recorder.isWaitingRoomFull
        }

        private mutating func takeAnswers() {
            for answer in mailbox.take() {
                switch answer {
                case .organization(let room, let result):
                    mayHold = true
                    apply(.answer(room: room, result, at: time.now()))
                case .report(let report): apply(.report(report, at: time.now()))
                }
            }
        }

        /// The last events may wait for an organization: the answers are waited for, then given up.
        private mutating func settle(until deadline: MonotonicTime) {
            let pause = Monitor(())
            while recorder.waitingEvents > 0, time.monotonic() < deadline {
                _ = pause.wait(until: time.monotonic() + .milliseconds(10)) { _ in nil as Void? }
                turn()
            }
            recorder.giveUpWaiting(at: time.now(), into: &actions)
            perform()
        }

        private mutating func apply(_ input: Input) {
            recorder.apply(input, into: &actions)
            perform()
        }

        private mutating func perform() {
            for action in actions {
                switch action {
                case .store(let row): store.store(row)
                case .removeParticipant(let room, let identity, let limit):
                    enforcer?.remove(room: room, identity: identity, until: limit)
                case .withdrawRemoval(let room, let identity): enforcer?.withdraw(room: room, identity: identity)
                case .lookUp(let room):
                    // Where too many look-ups wait, no answer will come: the recorder is told so at once.
                    if !store.lookUp(room: room) {
                        mailbox.leave(.organization(room: room, .failure(.lookup_error)))
                    }
                }
            }
            actions.removeAll(keepingCapacity: true)
        }
    }
}
