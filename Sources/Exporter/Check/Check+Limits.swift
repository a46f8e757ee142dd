import Glibc
import HTTPServing
import Platform
import Wire

/// The part of `lkpush check` about what the system allows the process.
extension Check {
    /// Looks at the limits of descriptors and memory. They are those of this process, so run it as the service runs: by
    /// the same user, in the same container.
    static func limits(_ settings: Settings, _ report: inout CheckReport) {
        let wanted = settings.maxConnections
        let allowed = DescriptorLimit.connections(wanted: wanted)
        if allowed < wanted {
            report.tell(
                .flaw, "descriptors",
                "the limit of open files allows \(allowed) connections at one time, and MAX_CONNECTIONS asks for \(wanted): "
                    + "beyond it the oldest are closed. Raise the hard limit (LimitNOFILE= of the unit, ulimit -Hn, "
                    + "--ulimit nofile= of the container), or set MAX_CONNECTIONS to \(allowed)")
        } else {
            report.tell(.ok, "descriptors", "the limit of open files is enough for MAX_CONNECTIONS=\(wanted)")
        }
        memory(settings, &report)
    }

    private static func memory(_ settings: Settings, _ report: inout CheckReport) {
        guard let limit = MemoryLimit.current else { return }
        let count = settings.destinations.count
        let (queues, overflow) = settings.queueBytes.bytes.multipliedReportingOverflow(by: count)
        let needed = overflow ? Int.max : queues.addingReportingOverflow(Limits.memory.bytes).partialValue
        let may = "\(limit.name) is \(UnitText.rough(ByteCount(limit.bytes)))"
        guard limit.bytes < needed else {
            return report.tell(.ok, "memory", "\(may)")
        }
        report.tell(
            .flaw, "memory",
            "\(may), and \(UnitText.rough(ByteCount(needed))) may be needed in an outage: \(Limits.memory) and "
                + "REMOTE_WRITE_QUEUE_BYTES=\(settings.queueBytes) for each of \(count) destinations. The kernel ends a "
                + "process that takes more. Raise the limit, or set REMOTE_WRITE_QUEUE_BYTES lower")
    }
}

/// The most memory that this process may have.
struct MemoryLimit: Sendable, Equatable {
    let bytes: Int
    /// The name of the limit, as the subject of a sentence.
    let name: String

    /// The lowest of all limits: of the control group, of the process, and the memory of the machine. Nil if none is
    /// known.
    static var current: MemoryLimit? {
        var all = [MemoryLimit(bytes: physical, name: "the memory of the machine")]
        for (resource, name) in [(RLIMIT_AS, "address space (ulimit -v)"), (RLIMIT_DATA, "data (ulimit -d)")] {
            var limit = rlimit()
            if getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) {
                all.append(MemoryLimit(bytes: Int(limit.rlim_cur), name: "the limit of \(name)"))
            }
        }
        all += ofGroups { path in
            // Most machines have only some of these files.
            (try? FileStore.read(path)).map { String(decoding: $0, as: UTF8.self) }
        }
        return all.filter { $0.bytes > 0 }.min { $0.bytes < $1.bytes }
    }

    private static var physical: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }

    /// The limits of the control groups of this process. https://docs.kernel.org/admin-guide/cgroup-v2.html
    ///
    /// - Parameter read: the text of a file; nil if there is none.
    static func ofGroups(read: (String) -> String?) -> [MemoryLimit] {
        let root = "/sys/fs/cgroup"
        var files = ["\(root)/memory/memory.limit_in_bytes"]
        let line = (read("/proc/self/cgroup") ?? "").split(separator: "\n").first { $0.hasPrefix("0::") }
        var path = line.map { String($0.dropFirst("0::".count)) } ?? "/"
        while true {
            files.append("\(root)\(path == "/" ? "" : path)/memory.max")
            guard path.hasPrefix("/"), path != "/" else { break }
            path = Folder.parent(of: path)
        }
        return files.compactMap { file in
            let text = read(file)?.split(whereSeparator: \.isWhitespace).first
            // `max` is no limit; the first version writes a number near the largest one.
            guard let bytes = text.flatMap({ Int($0) }), bytes < 1 << 60 else { return nil }
            return MemoryLimit(bytes: bytes, name: "the memory limit of the control group")
        }
    }
}
