import Glibc

/// The thread that owns a resource. Use by another thread traps.
package struct ThreadOwner: Sendable {
    private let thread: pthread_t

    /// The calling thread becomes the owner.
    package init() { thread = pthread_self() }

    /// Traps on any thread but the owner: use by another thread is a mistake of the programmer.
    package func assertOwned(_ what: StaticString) {
        precondition(pthread_equal(thread, pthread_self()) != 0, "\(what) was used by a thread that does not own it")
    }
}
