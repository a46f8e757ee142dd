import CCurl
import Synchronization

/// Ends the wait of a transport from another thread.
///
/// Any thread may call it at any time, even when the transport is gone.
package final class Waker: Sendable {
    /// `@unchecked Sendable`: `curl_multi_wakeup` is the one function of a multi handle that any thread may call.
    /// https://curl.se/libcurl/c/curl_multi_wakeup.html
    private struct Handle: @unchecked Sendable {
        let multi: UnsafeMutableRawPointer
    }

    private let handle = Mutex<Handle?>(nil)
    private let isRaised = Atomic<Bool>(false)

    init() {}

    /// From now on `wake` wakes this transport and no other.
    func attach(_ multi: UnsafeMutableRawPointer) {
        let new = Handle(multi: multi)
        handle.withLock { $0 = new }
    }

    /// Ends the current or the next `poll`. Wraps `curl_multi_wakeup`.
    package func wake() {
        // The store has release order: the woken thread sees everything that happened before the call.
        isRaised.store(true, ordering: .releasing)
        interrupt()
    }

    /// Makes the current or the next `poll` look again for what it can do. It does not return for this.
    func interrupt() {
        handle.withLock { handle in
            if let handle { _ = curl_multi_wakeup(handle.multi) }
        }
    }

    /// Returns true if `wake` was called since the last call of this function.
    func take() -> Bool { isRaised.exchange(false, ordering: .acquiring) }

    /// The transport is about to go: it is not woken from now on.
    func detach(_ multi: UnsafeMutableRawPointer) {
        let old = Handle(multi: multi)
        handle.withLock { handle in
            if handle?.multi == old.multi { handle = nil }
        }
    }
}
