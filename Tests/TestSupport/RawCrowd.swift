import Glibc
package import Platform

/// Thousands of raw connections from one thread: they connect, say the same bytes, and stay.
package final class RawCrowd {
    private var files: [Int32] = []
    private let port: UInt16
    private let bytes: [UInt8]

    /// - Parameter saying: what each sends once connected; empty for silence.
    package init(port: UInt16, saying text: String = "") {
        self.port = port
        bytes = Array(text.utf8)
    }

    deinit { for file in files { close(file) } }

    package var count: Int { files.count }

    /// Connects `more` clients, one after the other: each is in the server's queue when the next one comes.
    package func grow(by more: Int) throws(SystemError) {
        files.reserveCapacity(files.count + more)
        for _ in 0..<more {
            let file = try RawHTTP.connect(port, Waits.limit)
            files.append(file)
            // Some are closed by the server before they have said it.
            if !bytes.isEmpty { _ = send(file, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
        }
    }

    /// Descriptors for `count` more files; false where the system does not give them. Wraps `setrlimit`.
    package static func raiseDescriptorLimit(to count: Int) -> Bool {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        getrlimit(resource, &limit)
        if limit.rlim_cur >= rlim_t(count) { return true }
        limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
        setrlimit(resource, &limit)
        return limit.rlim_cur >= rlim_t(count)
    }
}
