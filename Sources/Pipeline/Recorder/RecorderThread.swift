package import Platform
import Recording
import Storage

/// The `recorder` thread: the one owner of the recorder. It takes committed events and answers of the store from its
/// inbox, applies them in order, and performs the actions of the recorder.
///
/// It applies events in batches, at its own pace. After each batch, the other inputs that it applied and the rows go to
/// the journal. So nothing leaves that could not be told again after a restart.
package final class RecorderThread: Sendable {
    /// The bounds of its pace, each with its reason.
    enum Limits {
        /// Events that are applied before the inbox is looked at for answers again.
        static let eventsPerLook = 32
        /// The longest wait for events.
        static let pace = Duration.seconds(1)
        /// The interval at which the recorder is told the time when nothing happens. Each time is an entry of the
        /// journal.
        static let idlePace = Duration.seconds(5)
        /// The time that events are held back for answers that are on their way, when as many events wait as may. It is
        /// less than a webhook waits for a reservation in the intake, so that no webhook is refused for the database's sake.
        static let delay = Duration.milliseconds(400)
        /// By how much the wall clock must be set until the recorder is told, and people.
        static let clockChange_ms = 1_000
        static let loggedClockChange_ms = 60_000
    }

    private let inbox: RecorderInbox
    private let thread: NamedThread

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - start: the state that the journal restored.
    ///   - reservations: gets back the reservations of events that were taken.
    ///   - removals: takes removals of sessions; nil where nobody is removed.
    ///   - unknownRooms: logs rooms without an organization; nil where they are not logged.
    ///   - log: is told when the wall clock was set.
    package init(
        _ inbox: RecorderInbox, start: RecorderStart, reservations: any EventReservations, journal: JournalInbox,
        store: StoreInbox,
        removals: (any SessionRemovals)? = nil, unknownRooms: UnknownRoomsLog? = nil,
        log: Log? = nil, time: any TimeSource = SystemTime()
    ) {
        self.inbox = inbox
        thread = NamedThread(name: "recorder") {
            var worker = RecorderWorker(
                start, inbox: inbox, reservations: reservations, journal: journal, store: store, removals: removals,
                unknownRooms: unknownRooms, log: log, time: time)
            worker.run()
            journal.noteRecorderDone()
            inbox.finish()
        }
    }

    /// Applies everything that was accepted, then ends the thread. False where the thread did not end in time.
    ///
    /// The intake must be closed before. Events that wait for an organization get it until `deadline`. Then they wait
    /// in the journal; where there is none, they count as if the database had not answered.
    package func stop(by deadline: MonotonicTime) -> Bool {
        inbox.stop(by: deadline)
        guard inbox.waitForEnd(until: deadline + .seconds(1)) else { return false }
        thread.join()
        return true
    }
}
