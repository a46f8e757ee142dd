package import HTTPServing
import Journal
import Platform
package import Status
import Synchronization
package import Wire

/// The only door of the thread `append`: events of the intake, answers of the shared log, and the stop.
///
/// Any thread may call it, and none waits. Events are bounded by the reservations that were made for them.
package final class AppendInbox: EventJournal {
    struct Mail: Sendable {
        /// The events that wait, in groups of at most `AppendSettings.Limits.group_bytes`.
        var batches: [UncommittedEvents] = []
        /// The outcome of the call that was on its way.
        var outcome: LogOutcome?
        /// False while neither the log nor the spill takes events.
        var takesEvents = true
        /// No event follows.
        var isClosing = false
        /// The deadline of a stop that was asked for.
        var stopBy: MonotonicTime?
        /// The thread is done.
        var isFinished = false

        mutating func add(_ event: AcceptedEvent, _ request: PendingResponse) {
            if batches.last.map({ $0.entries.size_bytes >= AppendSettings.Limits.group_bytes }) ?? true {
                batches.append(UncommittedEvents())
            }
            batches[batches.count - 1].append(event, request)
        }
    }

    let mail = Monitor(Mail())
    let published = Mutex(AppendCondition())
    let answers: WebhookAnswers

    package init(answers: WebhookAnswers) { self.answers = answers }

    /// The way to the log, as the thread found it last. Any thread may ask.
    package var condition: AppendCondition { published.withLock { $0 } }

    /// The number of events that wait here.
    package var tables: [TableMemory] {
        [TableMemory("append_events", mail.withLock { $0.batches.reduce(0) { $0 + $1.count } })]
    }

    /// Queues an event for the next append. False while neither the log nor the spill takes events.
    package func add(_ event: AcceptedEvent, _ request: PendingResponse) -> Bool {
        var isTaken = false
        mail.changeWakingIfNeeded { mail in
            guard mail.takesEvents else { return false }
            isTaken = true
            let wasEmpty = mail.batches.isEmpty
            mail.add(event, request)
            return wasEmpty
        }
        return isTaken
    }

    /// Notes that no event follows.
    package func close() { mail.change { $0.isClosing = true } }

    func stop(by deadline: MonotonicTime) { mail.change { $0.stopBy = deadline } }

    func waitForEnd(until deadline: MonotonicTime) -> Bool {
        mail.wait(until: deadline) { $0.isFinished ? true : nil } ?? false
    }
}

/// The way of events to the shared log, as the thread `append` found it last.
package struct AppendCondition: Sendable {
    /// The log can be reached; nil before it was tried.
    package var isUp: Bool?
    /// The reason why it cannot be reached; empty while it can.
    package var error = ""
    /// The time since which that is so.
    package var since: Timestamp?
    /// The events that wait in the spill, and their bytes.
    package var spilledEvents = 0
    package var spilled_bytes = 0
    /// The reason why the spill cannot be used; empty while it can.
    package var spillError = ""

    package init() {}
}
