import Platform
import Status

extension ProcessMemory {
    init(_ usage: MemoryUsage) {
        self.init()
        resident_bytes = usage.resident_bytes
        peak_bytes = usage.peak_bytes
        anonymous_bytes = usage.anonymous_bytes
        file_bytes = usage.file_bytes
        shared_bytes = usage.shared_bytes
        virtual_bytes = usage.virtual_bytes
        swap_bytes = usage.swap_bytes
        threads = usage.threads
    }
}

extension AllocatorMemory {
    init(_ statistics: Heap.Statistics) {
        self.init()
        arena_bytes = statistics.arena_bytes
        mapped_bytes = statistics.mapped_bytes
        used_bytes = statistics.used_bytes
        free_bytes = statistics.free_bytes
        trimmable_bytes = statistics.trimmable_bytes
    }
}
