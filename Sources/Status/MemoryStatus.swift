package import Wire

/// The use of memory: the answer of `GET /debug/memory`.
package struct MemoryStatus: StatusObject {
    package var now = Timestamp.absent
    package var process = ProcessMemory()
    package var allocator: AllocatorMemory?
    package var tables: [TableMemory] = []

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("now_timestamp_seconds", &now, "when this copy was made, Unix seconds")
        try visitor.field("process", &process, "what the system counts")
        try visitor.field("allocator", &allocator, "what the allocator counts; null where it does not tell")
        try visitor.field("tables", &tables, "what the tables hold")
    }
}

/// The system's view. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
package struct ProcessMemory: StatusObject {
    package var resident_bytes = 0
    package var peak_bytes = 0
    package var anonymous_bytes = 0
    package var file_bytes = 0
    package var shared_bytes = 0
    package var virtual_bytes = 0
    package var swap_bytes = 0
    package var threads = 0

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("resident_bytes", &resident_bytes, "VmRSS")
        try visitor.field("resident_peak_bytes", &peak_bytes, "VmHWM")
        try visitor.field("anonymous_bytes", &anonymous_bytes, "RssAnon: heap and stacks")
        try visitor.field("file_bytes", &file_bytes, "RssFile: the program and mapped files")
        try visitor.field("shared_bytes", &shared_bytes, "RssShmem")
        try visitor.field("virtual_bytes", &virtual_bytes, "VmSize")
        try visitor.field("swap_bytes", &swap_bytes, "VmSwap")
        try visitor.field("threads", &threads, "threads")
    }
}

/// The allocator's view. https://man7.org/linux/man-pages/man3/mallinfo.3.html
package struct AllocatorMemory: StatusObject {
    package var arena_bytes = 0
    package var mapped_bytes = 0
    package var used_bytes = 0
    package var free_bytes = 0
    package var trimmable_bytes = 0

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("arena_bytes", &arena_bytes, "taken from the system for small blocks")
        try visitor.field("mapped_bytes", &mapped_bytes, "taken from the system for large blocks")
        try visitor.field("used_bytes", &used_bytes, "in use")
        try visitor.field("free_bytes", &free_bytes, "free, kept for later")
        try visitor.field("trimmable_bytes", &trimmable_bytes, "free at the end of the main arena")
    }
}

/// A table.
package struct TableMemory: StatusObject {
    package var name = ""
    package var entries = 0
    package var max: Int?
    package var size_bytes: Int?

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("name", &name, "stable, snake_case")
        try visitor.field("entries", &entries, "what it holds")
        try visitor.field("max", &max, "the most that it may hold; null where something else bounds it")
        try visitor.field("size_bytes", &size_bytes, "its size where it is known; null else")
    }
}
