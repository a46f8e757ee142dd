import Platform

/// Which message a receiver gets, and how that is found out. It is a machine: answers come in, times are parameters.
///
/// A receiver of version 1.0 finds nothing that it knows in a body of 2.0. Prometheus 2.42 and VictoriaMetrics then
/// answer 204 and store nothing. So a success counts only with one of the headers `X-Prometheus-Remote-Write-*-Written`.
/// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#required-written-response-headers
struct MessageState: Sendable {
    enum Limits {
        /// The time after which a receiver of 1.0 is asked again whether it reads 2.0: it may have been upgraded.
        static let probe = Duration.seconds(3_600)
    }

    let choice: MessageChoice
    /// The message of the next request.
    private(set) var current: Message
    /// True if the receiver is known to read `current`.
    private(set) var isPinned: Bool
    private var hasReadV2 = false
    private var hasBegun = false
    private var probeAt: MonotonicTime?

    init(_ choice: MessageChoice) {
        self.choice = choice
        current = choice == .v1 ? .v1 : .v2
        isPinned = choice != .auto
    }

    /// True before the first request, which carries only `up`: if it is refused because of its message, no other sample
    /// is lost.
    var isFirst: Bool { choice == .auto && !hasBegun }

    /// True between the first request and its verdict: no other request may run, since it could be in vain.
    var isInDoubt: Bool { choice == .auto && hasBegun && !isPinned }

    /// True if `up` is due to be sent as 2.0 to a receiver that read 1.0 so far.
    func isProbeDue(at now: MonotonicTime) -> Bool {
        guard choice == .auto, current == .v1, isPinned else { return false }
        return probeAt.map { now >= $0 } ?? true
    }

    /// Notes that the receiver read this message when an earlier process sent it.
    mutating func noteKnown(_ message: Message) {
        guard choice == .auto else { return }
        if message == .v2 { hasReadV2 = true }
        current = message
        isPinned = true
        hasBegun = true
    }

    mutating func noteBegun() { hasBegun = true }

    /// Notes that a probe begins. The next one is due after a while, whatever comes of it.
    mutating func noteProbe(at now: MonotonicTime) { probeAt = now + Limits.probe }

    /// Notes that the receiver has read a message.
    mutating func noteRead(_ message: Message, at now: MonotonicTime) {
        guard choice == .auto else { return }
        if message == .v2 { hasReadV2 = true }
        // The answer to a message from before a change of mind tells nothing about the current one.
        if message == .v1 && current == .v2 { return }
        if !isPinned && message == .v1 { probeAt = now + Limits.probe }
        current = message
        isPinned = true
    }

    /// Notes that the receiver did not read a message of 2.0. Returns false if nothing else may be tried.
    mutating func fallBack(at now: MonotonicTime) -> Bool {
        guard choice == .auto else { return false }
        current = .v1
        isPinned = true
        probeAt = now + Limits.probe
        return true
    }

    /// Notes that a receiver answered 400, without telling what it wrote.
    ///
    /// Receivers of 1.0 may answer so to a content type that they do not know. Before any success with 2.0, the next
    /// request is tried as 1.0; where that is refused as well, the message was not the reason.
    /// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#response
    mutating func noteBadRequest(_ message: Message) {
        guard choice == .auto, !hasReadV2, !isPinned, message == current else { return }
        current = message == .v2 ? .v1 : .v2
    }
}
