package import Recording
package import RemoteWrite

/// What the recorder begins with.
package struct RecorderStart: Sendable {
    package var recorder: Recorder
    /// The numbers of the last event and the last other input that it knows of, and of the last row that it made.
    package var events: Int64 = 0
    package var inputs: Int64 = 0
    package var rows: Int64 = 0
    /// What the numbers of the last event and input are added to, for the number of all inputs that rows carry.
    package var ordinalBase: Int64 = 0
    /// There was no state to restore: the people in the rooms are asked of the database.
    package var isFresh = true
    /// No snapshot on disk stands for this state.
    package var needsSnapshot = false
    /// What the recorder knows survives the process.
    package var keepsState = false
    /// Inputs other than events are journaled.
    package var keepsInputs = false
    /// What the process before has pushed.
    package var shipped = ShippedState()

    package init(recorder: Recorder) { self.recorder = recorder }
}
