import Glibc
import Platform
import Testing

@Suite struct MemoryUsageTests {
    @Test func `the text of the system is read`() {
        let usage = MemoryUsage(
            status: """
                Name:\tVmRSS: 7 kB
                VmSize:\t  300 kB
                VmHWM:\t   22 kB
                VmRSS:\t   21 kB
                RssAnon:\t   9 kB
                RssFile:\t   8 kB
                RssShmem:\t   4 kB
                VmSwap:\t   1 kB
                Threads:\t17
                Threads:\tmany
                VmRSS:\t9223372036854775807 kB
                """)
        #expect(usage.virtual_bytes == 300 << 10 && usage.peak_bytes == 22 << 10)
        #expect(usage.resident_bytes == 21 << 10 && usage.anonymous_bytes == 9 << 10)
        #expect(usage.file_bytes == 8 << 10 && usage.shared_bytes == 4 << 10 && usage.swap_bytes == 1 << 10)
        #expect(usage.threads == 17)
        #expect(MemoryUsage(status: "").resident_bytes == 0)
    }

    @Test func `this process has memory and threads`() throws {
        let usage = try #require(MemoryUsage.current)
        #expect(usage.resident_bytes > 1 << 20 && usage.peak_bytes >= usage.resident_bytes)
        #expect(usage.anonymous_bytes + usage.file_bytes > 0 && usage.virtual_bytes > usage.resident_bytes)
        #expect(usage.threads >= 1)
    }

    @Test func `the allocator tells of a block that is in use, and of one that was freed`() throws {
        let before = try #require(Heap.statistics)
        #expect(before.arena_bytes > 0 && before.used_bytes > 0)
        #expect(before.used_bytes + before.free_bytes == before.arena_bytes)
        // A block of this size is mapped by itself, whatever the threshold has grown to: 32 MiB is its limit.
        let size_bytes = 48 << 20
        let block = try #require(malloc(size_bytes))
        defer { free(block) }
        memset(block, 1, 1)
        let during = try #require(Heap.statistics)
        #expect(during.mapped_bytes >= size_bytes)
    }
}
