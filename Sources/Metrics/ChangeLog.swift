import Synchronization

/// The series whose values have changed since they were read, so that a reader need not look at all the others.
///
/// Each change of a value costs one load. The first one after a reading costs a lock and an append.
final class ChangeLog: Sendable {
    private let isRecording = Atomic<Bool>(false)
    private let slots = Mutex<[Int32]>([])

    /// Starts recording. A change that is not recorded has happened before this returns.
    func start() { isRecording.store(true, ordering: .sequentiallyConsistent) }

    fileprivate func append(_ slot: Int32) { slots.withLock { $0.append(slot) } }

    fileprivate var isStarted: Bool { isRecording.load(ordering: .sequentiallyConsistent) }

    /// Moves the slots of changed series to `taken`, whose memory is reused.
    func take(into taken: inout [Int32]) {
        taken.removeAll(keepingCapacity: true)
        slots.withLock { swap(&$0, &taken) }
    }
}

/// The mark of one series in the change log.
///
/// All accesses to the mark and to the value are in one order for all threads (sequentially consistent). So either a
/// writer finds the mark cleared and logs its change, or the reader that cleared it sees the change.
package struct ChangeMark: ~Copyable, Sendable {
    private let isLogged = Atomic<Bool>(false)
    /// The number of the series among those that exist now.
    let slot: Int32
    private let log: ChangeLog

    init(slot: Int32, in log: ChangeLog) {
        self.slot = slot
        self.log = log
    }

    /// Notes that the value has changed. Call it after the change.
    func note() {
        if isLogged.load(ordering: .sequentiallyConsistent) || !log.isStarted { return }
        if !isLogged.exchange(true, ordering: .sequentiallyConsistent) { log.append(slot) }
    }

    /// Later changes are logged again. Call it before the value is read.
    func clear() { isLogged.store(false, ordering: .sequentiallyConsistent) }
}
