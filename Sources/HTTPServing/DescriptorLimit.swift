import Glibc

/// The number of connections that the system allows this process.
///
/// Debian's soft limit is 1,024 descriptors. With so few, strangers who connect could take the descriptors that the
/// database and remote write need.
package enum DescriptorLimit {
    /// Raises the process's soft limit if `wanted` connections need it. Returns how many connections it can have. Wraps
    /// `getrlimit` and `setrlimit`.
    package static func connections(wanted: Int) -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return wanted }
        let needed = rlim_t(wanted + Limits.otherDescriptors)
        if limit.rlim_cur < needed {
            limit.rlim_cur = min(needed, limit.rlim_max)
            // The system refuses only if the hard limit fell in between; the limit is read again afterwards.
            setrlimit(resource, &limit)
            getrlimit(resource, &limit)
        }
        // If descriptors are few, connections get half of them, including those above the maximum.
        let all = Int(clamping: limit.rlim_cur)
        return max(1, min(wanted, max(all - Limits.otherDescriptors, all * 2 / 5)))
    }
}
