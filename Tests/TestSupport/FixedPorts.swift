import Platform
import Synchronization

/// Ports of this machine that stay the same over restarts of a program under test.
///
/// They lie below the range from which the system takes the local ends of connections: a client that knocks again and
/// again at a port inside that range may be given this very port for its own end, and talk to itself.
/// https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html#ip-variables (`ip_local_port_range`)
package enum FixedPorts {
    /// Where the next search begins: no port is given twice by one test process.
    private static let next = Mutex<UInt16?>(nil)
    private static let range: ClosedRange<UInt16> = 20_000...31_999

    /// A port that nobody listens on now, and that this process has not been given before.
    package static func pick() -> UInt16 {
        next.withLock { next in
            // Two test processes begin at different places.
            var candidate = next ?? range.randomElement() ?? range.lowerBound
            while !isFree(candidate) { candidate = after(candidate) }
            next = after(candidate)
            return candidate
        }
    }

    private static func after(_ port: UInt16) -> UInt16 { port == range.upperBound ? range.lowerBound : port + 1 }

    private static func isFree(_ port: UInt16) -> Bool { (try? LoopbackSocket.listening(port: port)) != nil }
}
