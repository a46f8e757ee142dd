import Glibc

/// Remembers the thread that owns a resource, and traps when another one uses it.
package struct ThreadOwner: Sendable {
    private let thread: pthread_t

    /// The calling thread becomes the owner.
    package init() { thread = pthread_self() }

    /// Traps on any thread but the owner: a mistake of the programmer.
    package func assertOwned(_ what: StaticString) {
        precondition(pthread_equal(thread, pthread_self()) != 0, "\(what) was used by a thread that does not own it")
    }
}
