package import Recording
package import RemoteWrite

/// The state that the recorder begins with.
package struct RecorderStart: Sendable {
    package var recorder: Recorder
    /// The numbers of the last event and the last other input that it knows of, and of the last row that it made.
    package var events: Int64 = 0
    package var inputs: Int64 = 0
    package var rows: Int64 = 0
    /// The number that is added to the event number and the input number, for the ordinals of row positions.
    package var ordinalBase: Int64 = 0
    /// There was no state to restore, so the database is asked for the presence.
    package var isFresh = true
    /// No snapshot on disk stands for this state.
    package var needsSnapshot = false
    /// The recorder's state survives the process.
    package var keepsState = false
    /// Inputs other than events are journaled.
    package var keepsInputs = false
    /// Events come from a log that several processes share. They are applied before a commit says so.
    package var isLogShared = false
    /// Is told which event is being applied; nil where no later process could learn from that.
    package var hand: EventInHand?
    /// The events that are not applied, although they have numbers. With a journal that is not shared, all of them are
    /// behind the start.
    package var setAside: Set<Int64> = []
    /// The shipped state of earlier processes, by destination.
    package var shipped = ShippedStates()

    package init(recorder: Recorder) { self.recorder = recorder }
}
