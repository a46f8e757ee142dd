import Glibc

/// The thread that a connection and its statements belong to. A check costs one comparison.
struct Owner {
    private let thread = pthread_self()

    func check() {
        precondition(
            pthread_equal(thread, pthread_self()) != 0,
            "a database connection was used by a thread that does not own it"
        )
    }
}
