import Glibc

/// State behind a lock. Threads can wait for a change of it, with deadlines on the monotonic clock.
///
/// The lock is held only inside the closures. They must not block, and must not enter the same monitor again.
///
/// `@unchecked Sendable`: `state` is read and written only between `pthread_mutex_lock` and `unlock` of `mutex`, and
/// the three allocations live exactly as long as the object. The state lies outside of the object for the thread
/// sanitizer. It takes a write to a stored property for a write to the first word of the object, which other threads
/// read before they have the lock.
package final class Monitor<State>: @unchecked Sendable {
    /// The longest single wait. The C library's clock stands still while the machine is suspended, so a deadline that passes
    /// then is noticed after this time at the latest.
    private static var longestWait: Duration { .seconds(60) }

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let state: UnsafeMutablePointer<State>

    package init(_ state: sending State) {
        self.state = .allocate(capacity: 1)
        self.state.initialize(to: state)
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // On the monotonic clock, a change of the wall clock does not shift a deadline.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        let lock = pthread_mutex_init(mutex, nil)
        let wait = pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        precondition(lock == 0 && wait == 0, "the C library could not make a lock")
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        state.deinitialize(count: 1)
        state.deallocate()
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` under the lock, then wakes every waiting thread.
    package func change<Result>(_ body: (inout State) throws -> sending Result) rethrows -> sending Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state.pointee)
    }

    /// Runs `body` under the lock, and wakes every waiting thread if `body` returns true. A wake-up costs more than
    /// most changes, so this is for frequent changes that seldom matter to a waiting thread.
    package func changeWakingIfNeeded(_ body: (inout State) -> Bool) {
        pthread_mutex_lock(mutex)
        let isNeeded = body(&state.pointee)
        if isNeeded { pthread_cond_broadcast(condition) }
        pthread_mutex_unlock(mutex)
    }

    /// Runs `body` under the lock and wakes nobody: for reads, and for changes that no thread waits for.
    package func withLock<Result>(_ body: (inout State) throws -> sending Result) rethrows -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state.pointee)
    }

    /// Waits until `body` returns a value. Returns nil at the deadline; without a deadline the wait has no limit.
    /// `body` is called at once, and again after each wake-up.
    package func wait<Result>(
        until deadline: MonotonicTime?, _ body: (inout State) -> sending Result?
    ) -> sending Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state.pointee) { return result }
            guard let deadline else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            let now = SystemTime().monotonic()
            if now >= deadline { return nil }
            var end = SystemTime.deadline(min(deadline, now + Self.longestWait))
            pthread_cond_timedwait(condition, mutex, &end)
        }
    }
}
