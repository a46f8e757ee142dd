package import Platform

/// The thread `keys`: it looks whether the files of keys have changed, and passes on the key ring.
///
/// It reads the whole files, which are small. Nothing else shows a replacement with the same size and time, behind any
/// number of links. A file system that hangs holds up this thread alone.
package final class KeyThread: Sendable {
    /// The longest wait of `lookNow`.
    private static let patience = Duration.seconds(5)

    private struct Inbox: Sendable {
        var asked = 0
        var answered = 0
        var isStopped = false
        var isFinished = false
    }

    private enum Call { case look, beat, stop }

    private let inbox = Monitor(Inbox())
    private let thread: NamedThread
    private let time: any TimeSource

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - use: takes the key ring when it has changed. It is called on the thread.
    package init(
        _ keys: LiveKitKeys, from pairs: [KeyPair], every interval: Duration = KeyRing.Limits.interval, log: Log,
        time: any TimeSource = SystemTime(), use: @escaping @Sendable (KeyRing) -> Void
    ) {
        self.time = time
        thread = NamedThread(name: "keys") { [inbox] in
            var worker = KeyWorker(keys, pairs, log, time, use)
            while true {
                let call: Call? = inbox.wait(until: time.monotonic() + interval) { inbox in
                    if inbox.isStopped { return .stop }
                    return inbox.asked > inbox.answered ? .look : nil
                }
                switch call ?? .beat {
                case .beat: worker.beat()
                case .look:
                    let asked = inbox.withLock { $0.asked }
                    worker.look()
                    inbox.change { $0.answered = asked }
                case .stop:
                    inbox.change { $0.isFinished = true }
                    return
                }
            }
        }
    }

    /// Reads the files now, and uses what they hold at once. Returns false if that took too long: then it happens
    /// later.
    package func lookNow() -> Bool {
        let number = inbox.change { inbox in
            inbox.asked += 1
            return inbox.asked
        }
        let deadline = time.monotonic() + Self.patience
        return inbox.wait(until: deadline) { $0.answered >= number || $0.isStopped ? true : nil } ?? false
    }

    /// Ends the thread. Returns false if it did not end in time because its file system hangs. Call it once.
    package func stop(by deadline: MonotonicTime) -> Bool {
        inbox.change { $0.isStopped = true }
        guard inbox.wait(until: deadline, { $0.isFinished ? true : nil }) != nil else { return false }
        thread.join()
        return true
    }
}

/// The loop body of the thread.
private struct KeyWorker {
    private let keys: LiveKitKeys
    private var ring: KeyRing
    private var isReadable = true
    private let log: Log
    private let time: any TimeSource
    private let use: @Sendable (KeyRing) -> Void

    init(
        _ keys: LiveKitKeys, _ pairs: [KeyPair], _ log: Log, _ time: any TimeSource,
        _ use: @escaping @Sendable (KeyRing) -> Void
    ) {
        self.keys = keys
        ring = KeyRing(pairs)
        self.log = log
        self.time = time
        self.use = use
    }

    /// Reads the files. A change counts when it was read twice in a row.
    mutating func beat() {
        let change: KeyRing.Change
        do throws(LiveKitKeys.KeysError) {
            change = ring.look(try keys.read(), at: time.monotonic())
            noteReadable()
        } catch {
            change = ring.lookFailed(at: time.monotonic())
            isReadable = false
            log.throttled(
                .warning, "keys cannot be read: the old ones stay in use; put the file right", ["error": .text(error)])
        }
        apply(change)
    }

    /// Reads the files. A change counts at once.
    mutating func look() {
        do throws(LiveKitKeys.KeysError) {
            let change = ring.adopt(try keys.read(), at: time.monotonic())
            noteReadable()
            log.info("keys were read again", ["keys": .int(ring.pairs.count)])
            apply(change)
        } catch {
            isReadable = false
            log.error("keys cannot be read: the old ones stay in use; put the file right", ["error": .text(error)])
        }
    }

    private mutating func noteReadable() {
        if !isReadable { log.info("keys can be read again") }
        isReadable = true
    }

    private func apply(_ change: KeyRing.Change) {
        switch change {
        case .nothing: return
        case .expired: log.info("a replaced secret of LiveKit's is not good any more")
        case .keys(let replaced, let removed):
            log.info(
                "LiveKit's keys have changed",
                ["keys": .int(ring.pairs.count), "replaced": .int(replaced), "removed": .int(removed)])
        }
        use(ring)
    }
}
