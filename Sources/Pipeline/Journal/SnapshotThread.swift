import Journal
import Platform
import Wire

/// The `snapshot` thread: writes snapshots to disk, one at a time, so that no commit waits for it.
///
/// The journal thread makes it, gives it snapshots and stops it.
final class SnapshotThread: Sendable {
    private struct State: Sendable {
        var job: (header: SnapshotHeader, bytes: [UInt8])?
        var isBusy = false
        var isStopping = false
    }

    private let state: Monitor<State>
    private let thread: NamedThread

    /// - Parameter done: receives the result, on the snapshot thread.
    init(_ writer: any SnapshotWriter, time: any TimeSource, done: @escaping @Sendable (SnapshotResult) -> Void) {
        let state = Monitor(State())
        self.state = state
        thread = NamedThread(name: "snapshot") {
            while let job = Self.next(state) {
                let begin = time.monotonic()
                var failure: String?
                do throws(JournalError) {
                    try writer.save(job.header, job.bytes)
                } catch {
                    failure = error.description
                }
                state.change { $0.isBusy = false }
                done(
                    SnapshotResult(
                        header: job.header, error: failure, size_bytes: job.bytes.count,
                        took: time.monotonic().since(begin)))
            }
        }
    }

    private static func next(_ state: Monitor<State>) -> (header: SnapshotHeader, bytes: [UInt8])? {
        let next: (header: SnapshotHeader, bytes: [UInt8])?? = state.wait(until: nil) { state in
            if let job = state.job.take() { return .some(job) }
            return state.isStopping ? .some(nil) : nil
        }
        return next ?? nil
    }

    /// A snapshot is being written.
    var isBusy: Bool { state.withLock { $0.isBusy } }

    /// Has a snapshot written. Call it only while none is being written.
    func save(_ header: SnapshotHeader, _ bytes: [UInt8]) {
        state.change { state in
            precondition(!state.isBusy, "one snapshot at a time")
            state.isBusy = true
            state.job = (header, bytes)
        }
    }

    /// Ends the thread after the snapshot that is being written.
    func stop() {
        state.change { $0.isStopping = true }
        thread.join()
    }
}
