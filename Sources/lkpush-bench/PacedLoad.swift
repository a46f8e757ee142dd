import CBenchmark
import Glibc
import Platform

/// Requests on a schedule that does not wait for answers, as real senders do not wait for each other.
///
/// The latency of a request starts when it was due, and not when a connection was free for it. So a server that stands
/// still for a moment is charged for all requests that would have come meanwhile ("coordinated omission").
extension LoadGenerator {
    struct Paced {
        /// The latencies of all answers, in ascending order.
        let latencies_ns: [Int64]
        let bad: Int

        func milliseconds(_ share: Double) -> String {
            ResultRow.number(latencies_ns.map(Double.init).percentile(share) / 1e6)
        }

        var text: String {
            let refused = bad > 0 ? ", \(bad) REFUSED" : ""
            return "p50 \(milliseconds(0.5)) ms, p99 \(milliseconds(0.99)) ms, p99.9 \(milliseconds(0.999)) ms, "
                + "max \(milliseconds(1)) ms\(refused)"
        }
    }

    /// Sends each of these requests once, evenly `perSecond`, on any free connection.
    func send(_ requests: Requests, _ range: Range<Int>, perSecond: Double) throws(LoadError) -> Paced {
        let time = SystemTime()
        let start = time.monotonic().nanoseconds
        func due(_ number: Int) -> Int64 { start + Int64(Double(number - range.lowerBound) * 1e9 / perSecond) }
        var free = Array(0..<connectionCount)
        var sent = [Int64](repeating: 0, count: connectionCount)
        var latencies: [Int64] = []
        latencies.reserveCapacity(range.count)
        var next = range.lowerBound
        var bad = 0
        while latencies.count < range.count {
            while next < range.upperBound, due(next) <= time.monotonic().nanoseconds, let index = free.popLast() {
                sent[index] = due(next)
                try begin(index, requests, next)
                next += 1
            }
            let isSending = next < range.upperBound && !free.isEmpty
            let wait = isSending ? max(0, due(next) - time.monotonic().nanoseconds) : 10_000_000_000
            lk_wait_readable(file, wait)
            let count = epoll_wait(file, &ready, Int32(ready.count), 0)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 || isSending else { throw LoadError(description: "no answer within ten seconds") }
            let now = time.monotonic().nanoseconds
            for position in 0..<max(0, Int(count)) {
                let index = Int(ready[position].data.u64)
                guard let isGood = try receive(index) else { continue }
                if !isGood { bad += 1 }
                latencies.append(now - sent[index])
                free.append(index)
            }
        }
        return Paced(latencies_ns: latencies.sorted(), bad: bad)
    }
}
