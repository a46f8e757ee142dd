import Glibc
package import Platform

/// Thousands of raw connections from one thread. They connect, send the same bytes, and stay open.
package final class RawCrowd {
    private var files: [Int32] = []
    private let port: UInt16
    private let bytes: [UInt8]

    /// - Parameter saying: the text that each connection sends; empty for none.
    package init(port: UInt16, saying text: String = "") {
        self.port = port
        bytes = Array(text.utf8)
    }

    deinit { for file in files { close(file) } }

    package var count: Int { files.count }

    /// Connects `more` clients, one after the other. Each is in the server's queue when the next one connects.
    package func grow(by more: Int) throws(SystemError) {
        files.reserveCapacity(files.count + more)
        for _ in 0..<more {
            let file = try RawHTTP.connect(port, Waits.limit)
            files.append(file)
            // The server closes some connections before they have sent it.
            if !bytes.isEmpty { _ = send(file, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
        }
    }

    /// Raises the limit of descriptors to `count`. Returns false if the system does not allow it. Wraps `setrlimit`.
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
