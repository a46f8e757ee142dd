import LiveKit
package import Platform
package import Status
import Synchronization
import Wire

/// The refused requests by reason: how many, when the last one came, and what to do about it.
///
/// Any thread may use it. A refusal costs a short lock. A reason has one entry, so the memory is bounded.
package final class WebhookRejections: Sendable {
    private struct Entry {
        var total = 0
        var last = Timestamp(milliseconds: 0)
        var detail = ""
        var advice: Advice
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let time: any TimeSource

    package init(time: any TimeSource = SystemTime()) { self.time = time }

    /// Notes a refusal. The last one of a reason gives its detail and its advice.
    ///
    /// - Parameter detail: holds neither body, token, key nor identity.
    func note(_ reason: String, _ advice: Advice, detail: String = "") {
        let now = time.now()
        entries.withLock { entries in
            var entry = entries[reason] ?? Entry(advice: advice)
            entry.total += 1
            entry.last = now
            entry.detail = detail
            entry.advice = advice
            entries[reason] = entry
        }
    }

    func note(_ fault: TokenFault) { note(fault.rawValue, fault.advice) }
    func note(_ refusal: WebhookRefusal, detail: String = "") { note(refusal.rawValue, refusal.advice, detail: detail) }

    /// The reasons that happened, the newest first.
    package var status: [RejectionStatus] {
        let entries = entries.withLock { $0 }
        let all = entries.map { reason, entry in
            var status = RejectionStatus()
            status.reason = reason
            status.total = entry.total
            status.last = entry.last
            status.detail = entry.detail
            status.what = "\(entry.advice.what)"
            status.action = entry.advice.action
            return status
        }
        return all.sorted { ($1.last, $0.reason) < ($0.last, $1.reason) }
    }
}
