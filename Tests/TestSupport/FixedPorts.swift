import Glibc
import Platform
import Synchronization

/// Ports of this machine that stay the same while a program under test restarts.
///
/// They lie below the range from which the system takes the local ports of connections. A client that connects again
/// and again to a port inside that range may get this very port as its local one, and then talks to itself.
/// https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html#ip-variables (`ip_local_port_range`)
///
/// A port stays reserved until this process ends: a socket is bound to it and does not listen. A server that reuses
/// addresses, as all servers under test do, may still listen there. A process that wants the port for itself alone,
/// such as another run of these tests, finds it taken. While nobody listens, connections are refused.
package enum FixedPorts {
    private struct State {
        var next: UInt16?
        /// Sockets that stay open for as long as the process lives.
        var reservations: [Int32] = []
    }

    private static let state = Mutex(State())
    private static let range: ClosedRange<UInt16> = 20_000...31_999

    /// A port that nobody has bound, and that is returned only once.
    package static func pick() -> UInt16 {
        state.withLock { state in
            // Two test processes begin at different ports.
            var candidate = state.next ?? range.randomElement() ?? range.lowerBound
            while true {
                state.next = candidate == range.upperBound ? range.lowerBound : candidate + 1
                if let reservation = reserve(candidate) {
                    state.reservations.append(reservation)
                    return candidate
                }
                candidate = state.next ?? range.lowerBound
            }
        }
    }

    /// Binds the port exclusively, and then lets servers listen that reuse addresses. Wraps `bind`.
    private static func reserve(_ port: UInt16) -> Int32? {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            close(file)
            return nil
        }
        var one: Int32 = 1
        setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        return file
    }
}
