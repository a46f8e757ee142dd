/// The memory and the threads of this process, as the system counts them.
/// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
package struct MemoryUsage: Sendable, Equatable {
    package var resident_bytes = 0
    package var peak_bytes = 0
    /// Heap and stacks.
    package var anonymous_bytes = 0
    /// The program, its libraries, and mapped files.
    package var file_bytes = 0
    package var shared_bytes = 0
    package var virtual_bytes = 0
    package var swap_bytes = 0
    package var threads = 0

    /// Reads the text of `/proc/self/status`. What it lacks is 0.
    package init(status: String) {
        for line in status.split(separator: "\n") {
            let words = line.split { $0 == ":" || $0 == "\t" || $0 == " " }
            guard words.count > 1, let number = Int(words[1]) else { continue }
            // The system counts in KiB and calls them kB.
            let (size_bytes, isOverflow) = number.multipliedReportingOverflow(by: 1_024)
            guard !isOverflow else { continue }
            switch words[0] {
            case "VmRSS": resident_bytes = size_bytes
            case "VmHWM": peak_bytes = size_bytes
            case "RssAnon": anonymous_bytes = size_bytes
            case "RssFile": file_bytes = size_bytes
            case "RssShmem": shared_bytes = size_bytes
            case "VmSize": virtual_bytes = size_bytes
            case "VmSwap": swap_bytes = size_bytes
            case "Threads": threads = number
            default: break
            }
        }
    }

    /// The usage now. Nil if the system does not tell.
    package static var current: MemoryUsage? {
        // Without procfs there is nothing to tell, and whoever asks sees that.
        guard let status = try? FileStore.read("/proc/self/status", limit: 64 << 10) else { return nil }
        return MemoryUsage(status: String(decoding: status, as: UTF8.self))
    }
}
