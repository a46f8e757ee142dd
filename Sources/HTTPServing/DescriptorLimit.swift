import Glibc

/// How many connections the system lets this process have.
///
/// Debian's soft limit is 1,024 descriptors: without more, strangers who connect could take the descriptors that
/// database and remote write need.
enum DescriptorLimit {
    /// Raises the process's soft limit where `wanted` connections need it; returns how many it can have.
    /// Wraps `getrlimit` and `setrlimit`.
    static func connections(wanted: Int) -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return wanted }
        let needed = rlim_t(wanted + Limits.otherDescriptors)
        if limit.rlim_cur < needed {
            limit.rlim_cur = min(needed, limit.rlim_max)
            // Refused only where the hard limit fell in between; what is left is read again.
            setrlimit(resource, &limit)
            getrlimit(resource, &limit)
        }
        // Where descriptors are few, connections get half of them, those above the maximum included.
        let all = Int(clamping: limit.rlim_cur)
        return max(1, min(wanted, max(all - Limits.otherDescriptors, all * 2 / 5)))
    }
}
