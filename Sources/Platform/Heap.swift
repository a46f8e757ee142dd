import Glibc

/// The heap of the process.
package enum Heap {
    /// `malloc_trim`, which the module of the C library leaves out. Nil with an allocator that has no such function.
    private static let trim: (@convention(c) (Int) -> Int32)? = {
        guard let symbol = dlsym(nil, "malloc_trim") else { return nil }
        // The symbol is the function with this type, or there is none.
        return unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)
    }()

    /// Gives memory that was freed back to the system. Call it after work that needed far more than what follows: the
    /// allocator keeps it otherwise. It takes some milliseconds. Wraps `malloc_trim`.
    /// https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    package static func giveBack() { _ = trim?(0) }
}
