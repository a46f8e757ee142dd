import HTTPClient
import LiveKit
import Platform
import Recording
import Wire

/// The loop of the thread `poller`: it asks what the machine wants to know, and leaves its result to the recorder.
///
/// It is made, used and ended on that thread.
final class PollerWorker {
    /// The state that the thread shares with the callers of the poller.
    struct Inbox {
        var signer: TokenSigner
        var newSigner: TokenSigner?
        var waker: Waker?
        var failure: TransportError?
        /// Answers of the recorder to the question with this number.
        var asked = 0
        var comparison: Comparison?
        var members: [RoomComparison]?
        var hasBegun = false
        var isStopping = false
        var isFinished = false

        init(signer: TokenSigner) { self.signer = signer }
    }

    private enum Limits {
        /// The part of the interval by which polls come earlier or later, so that many processes do not ask at once.
        static let jitter = 0.1
        /// The part of the interval before the first poll. The webhooks that waited for the start come first.
        static let beginning = 0.1
        /// The time for which the recorder may be busy with other things. It compares in milliseconds.
        static let recorderPatience = Duration.seconds(30)
        /// The longest wait that LiveKit may ask for.
        static let hold = Duration.seconds(3_600)
    }

    private let settings: PollerSettings
    private let inbox: Monitor<Inbox>
    private let recorder: any PolledRecorder
    private let time: any TimeSource
    private let client: ListClient
    private var report: PollReport
    private var poll = Poll()

    init(
        _ settings: PollerSettings, _ inbox: Monitor<Inbox>, _ recorder: any PolledRecorder, _ report: PollReport,
        _ time: any TimeSource
    ) throws(TransportError) {
        self.settings = settings
        self.inbox = inbox
        self.recorder = recorder
        self.report = report
        self.time = time
        client = try ListClient(
            settings, signer: inbox.withLock { $0.signer }, time: time,
            isStopping: { inbox.withLock { $0.isStopping } }, count: { report.count($0, $1) })
        inbox.change { [waker = client.waker] in $0.waker = waker }
    }

    /// Works until a stop is asked for.
    func run() {
        defer { inbox.withLock { $0.waker = nil } }
        while !inbox.withLock({ $0.hasBegun || $0.isStopping }) { client.rest(until: nil) }
        var next = time.monotonic() + settings.interval * Limits.beginning
        while client.wait(until: next) {
            let start = time.monotonic()
            var hold = Duration.zero
            do throws(PollInterruption) {
                try pollOnce()
            } catch {
                poll.fail()
                switch error {
                case .stop: return
                case .busyRecorder: report.failedForBusyRecorder()
                case .failed(let failure):
                    report.failed(failure)
                    hold = wanted(by: failure)
                }
            }
            let pause = settings.interval * Double.random(in: 1 - Limits.jitter...1 + Limits.jitter)
            next = max(start + pause, time.monotonic() + hold)
        }
    }

    /// The pause that LiveKit asks for.
    private func wanted(by failure: CallFailure) -> Duration {
        guard case .refused(let status, _, let retryAfter) = failure.kind, status == 429 || status >= 500 else {
            return .zero
        }
        // Without a time of its own, a server that is asked too often is given one more interval.
        return min(Limits.hold, retryAfter ?? (status == 429 ? settings.interval * 2 : .zero))
    }

    private func pollOnce() throws(PollInterruption) {
        if let signer = inbox.withLock({ $0.newSigner.take() }) {
            client.signer = signer
            report.tellNewKey()
        }
        let askedAt = time.received()
        let listing = try client.list(withEndedEgress: poll.wantsEndedEgress)
        report.listed(at: time.now())
        let number = inbox.withLock { inbox in
            inbox.asked += 1
            inbox.comparison = nil
            return inbox.asked
        }
        recorder.compare(listing) { [inbox, waker = client.waker] comparison in
            inbox.withLock { if $0.asked == number { $0.comparison = comparison } }
            waker.wake()
        }
        let comparison = try answer { $0.comparison.take() }
        switch poll.compare(listing, comparison, askedAt: askedAt) {
        case .disbelieve(let doubt):
            report.succeeded()
            report.doubted([doubt])
        case .ask(let questions):
            let (answers, failure) = try client.answers(to: questions)
            if let failure { report.failed(failure) } else { report.succeeded() }
            let outcome = poll.finish(answers, try compare(answers))
            report.found(outcome.figures)
            report.doubted(outcome.doubts)
            recorder.take(outcome.result)
        }
    }

    private func compare(_ answers: Poll.Answers) throws(PollInterruption) -> [RoomComparison] {
        let members = answers.members.compactMap { room, participants in
            participants.map { RoomMembers(room: room, participants: $0) }
        }
        if members.isEmpty { return [] }
        let number = inbox.withLock { inbox in
            inbox.asked += 1
            inbox.members = nil
            return inbox.asked
        }
        recorder.compare(members) { [inbox, waker = client.waker] comparisons in
            inbox.withLock { if $0.asked == number { $0.members = comparisons } }
            waker.wake()
        }
        return try answer { $0.members.take() }
    }

    /// Waits for an answer of the recorder.
    private func answer<Answer: Sendable>(
        _ take: (inout Inbox) -> Answer?
    ) throws(PollInterruption) -> Answer {
        let deadline = time.monotonic() + Limits.recorderPatience
        while true {
            if let answer = inbox.withLock({ take(&$0) }) { return answer }
            if inbox.withLock({ $0.isStopping }) { throw .stop }
            if time.monotonic() >= deadline { throw .busyRecorder }
            client.rest(until: deadline)
        }
    }
}
