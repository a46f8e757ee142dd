package import Platform
import Recording
import Storage

/// The `recorder` thread: the one owner of the recorder. Takes committed events and answers of the store from its inbox,
/// applies them in order, and hands on what the recorder wants done.
///
/// Events are applied in batches, at the pace of this thread. What it applied besides events, and what came of it, goes
/// to the journal after each batch: nothing leaves that could not be told again after a restart.
package final class RecorderThread: Sendable {
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

    private let inbox: RecorderInbox
    private let thread: NamedThread

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - start: what the journal restored.
    ///   - room: gets the room back of events that were taken.
    ///   - removals: where removals of sessions go; nil where nobody is removed.
    ///   - unknownRooms: tells of rooms without an organization.
    package init(
        _ inbox: RecorderInbox, start: RecorderStart, room: any EventRoom, journal: JournalInbox, store: StoreInbox,
        removals: (any SessionRemovals)? = nil, unknownRooms: UnknownRoomsLog? = nil,
        time: any TimeSource = SystemTime()
    ) {
        self.inbox = inbox
        thread = NamedThread(name: "recorder") {
            var worker = RecorderWorker(
                start, inbox: inbox, room: room, journal: journal, store: store, removals: removals,
                unknownRooms: unknownRooms, time: time)
            worker.run()
            journal.noteRecorderDone()
            inbox.finish()
        }
    }

    /// Applies everything that was accepted, then ends the thread. Events that wait for an organization get it until
    /// `deadline`; then they wait in the journal, or count as if the database had not answered where there is none. The
    /// intake must be closed before. False where the thread did not end in time.
    package func stop(by deadline: MonotonicTime) -> Bool {
        inbox.stop(by: deadline)
        guard inbox.waitForEnd(until: deadline + .seconds(1)) else { return false }
        thread.join()
        return true
    }
}
