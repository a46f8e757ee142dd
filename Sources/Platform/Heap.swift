import Glibc

/// The heap of the process.
package enum Heap {
    /// The numbers of the allocator, over all its arenas.
    package struct Statistics: Sendable, Equatable {
        /// Taken from the system for small blocks.
        package let arena_bytes: Int
        /// Taken from the system for large blocks, each by itself.
        package let mapped_bytes: Int
        /// Small blocks in use.
        package let used_bytes: Int
        /// Small blocks that were freed and are kept for later.
        package let free_bytes: Int
        /// The part of them that `giveBack` could return from the end of the main arena.
        package let trimmable_bytes: Int
    }

    /// `malloc_trim`, which the module of the C library leaves out. Nil with an allocator that has no such function.
    private static let trim: (@convention(c) (Int) -> Int32)? = {
        guard let symbol = dlsym(nil, "malloc_trim") else { return nil }
        // The symbol is the function with this type, or there is none.
        return unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)
    }()

    /// `mallinfo2`, which the module of the C library leaves out too. Nil with an allocator that has no such function.
    ///
    /// Its result is a structure of ten words, for which the module has no type. A structure of this size is returned in
    /// memory of the caller, on every platform with ten or more words. `rusage` is such a structure too, of eighteen
    /// words: the function fills the first ten of them.
    private static let info: (@convention(c) () -> rusage)? = {
        guard let symbol = dlsym(nil, "mallinfo2") else { return nil }
        // Both structures are returned in memory, and this one has room for the other.
        return unsafeBitCast(symbol, to: (@convention(c) () -> rusage).self)
    }()

    /// Gives memory that was freed back to the system. Call it after work that needed far more than what follows: the
    /// allocator keeps it otherwise. It takes some milliseconds. Wraps `malloc_trim`.
    /// https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    package static func giveBack() { _ = trim?(0) }

    /// What the allocator counts now. Nil with an allocator that does not tell. It walks over the free blocks under the
    /// locks of the arenas, which takes well below a millisecond. Wraps `mallinfo2`.
    /// https://man7.org/linux/man-pages/man3/mallinfo.3.html
    package static var statistics: Statistics? {
        guard let info else { return nil }
        return withUnsafeBytes(of: info()) { bytes in
            func word(_ index: Int) -> Int {
                bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Int>.size, as: Int.self)
            }
            // The order of its fields: arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,
            // keepcost.
            return Statistics(
                arena_bytes: word(0), mapped_bytes: word(4), used_bytes: word(7), free_bytes: word(8),
                trimmable_bytes: word(9))
        }
    }
}
