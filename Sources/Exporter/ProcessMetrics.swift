import Glibc
package import Platform
package import Metrics

/// The usual metrics of a process. They are read from procfs when the registry is read.
/// https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
package enum ProcessMetrics {
    /// Declares these metrics, and the counter of lost log lines.
    package static func declare(in registry: Registry, version: String, log: Log) {
        let cpu = registry.counter("process_cpu_seconds_total", "User and system CPU time spent in seconds.").series()
        let resident = registry.gauge("process_resident_memory_bytes", "Resident memory size in bytes.").series()
        let virtual = registry.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.").series()
        let files = registry.gauge("process_open_fds", "Number of open file descriptors.").series()
        let maxFiles = registry.gauge("process_max_fds", "Maximum number of open file descriptors.").series()
        let threads = registry.gauge("process_threads", "Number of threads.").series()
        let start = registry.gauge(
            "process_start_time_seconds", "Start time of the process since the Unix epoch in seconds."
        ).series()
        registry.gauge("lkpush_build_info", "Always 1; the version is a label.", labels: ["version"])
            .series([version])?.set(1)
        let page = Double(sysconf(Int32(_SC_PAGESIZE)))
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        start?.set(startTime(ticks: ticks))
        let lost = registry.counter(
            "lkpush_log_lines_dropped_total",
            "Log lines given up because nobody read them or they could not be written."
        ).series()
        let descriptors = OpenDescriptors()
        registry.onRead {
            var usage = rusage()
            if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
                cpu?.set(total: seconds(usage.ru_utime) + seconds(usage.ru_stime))
            }
            var limit = rlimit()
            if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
                maxFiles?.set(Double(limit.rlim_cur))
            }
            withProcFile("/proc/self/stat") { text in
                // Fields after the name in parentheses: 3 is the state, 20 threads, 23 virtual size, 24 resident pages.
                threads?.set(field(20, of: text))
                virtual?.set(field(23, of: text))
                resident?.set(field(24, of: text) * page)
            }
            files?.set(descriptors.count)
            lost?.set(total: Double(log.linesDropped))
        }
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// Reads a small file of procfs into a buffer on the stack. A buffer of more than 1 KiB would be on the heap.
    private static func withProcFile(_ path: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1_024) { buffer in
            let count = read(file, buffer.baseAddress, buffer.count)
            if count > 0 { body(UnsafeBufferPointer(rebasing: buffer[..<count])) }
        }
    }

    /// The number in field `index` (from 1) of `/proc/self/stat`. The name in field 2 may hold blanks.
    private static func field(_ index: Int, of text: UnsafeBufferPointer<UInt8>) -> Double {
        guard let close = text.lastIndex(of: UInt8(ascii: ")")) else { return 0 }
        var current = 2
        var value: Double = 0
        for byte in text[(close + 1)...] {
            if byte == UInt8(ascii: " ") {
                if current == index { return value }
                current += 1
                value = 0
            } else if (0x30...0x39).contains(byte) {
                value = value * 10 + Double(byte - 0x30)
            }
        }
        return 0
    }

    private static func startTime(ticks: Double) -> Double {
        var sinceBoot: Double = 0
        withProcFile("/proc/self/stat") { sinceBoot = field(22, of: $0) / ticks }
        var (now, uptime) = (timespec(), timespec())
        clock_gettime(CLOCK_REALTIME, &now)
        clock_gettime(CLOCK_BOOTTIME, &uptime)
        let boot = Double(now.tv_sec) + Double(now.tv_nsec) / 1e9 - Double(uptime.tv_sec) - Double(uptime.tv_nsec) / 1e9
        return ((boot + sinceBoot) * 100).rounded() / 100
    }
}

/// Counts the open descriptors of the process. The folder that lists them stays open, because opening it would allocate
/// at every reading.
private final class OpenDescriptors: Sendable {
    private let folder: Monitor<OpaquePointer?>

    init() { folder = Monitor(opendir("/proc/self/fd")) }

    /// The number of open descriptors. Any thread may read it. Wraps `rewinddir` and `readdir`.
    var count: Int {
        folder.withLock { folder in
            guard let folder else { return 0 }
            rewinddir(folder)
            // `.`, `..` and the folder's own descriptor do not count.
            var count = -3
            while readdir(folder) != nil { count += 1 }
            return count
        }
    }

    deinit {
        folder.withLock { folder in
            if let folder { closedir(folder) }
        }
    }
}
