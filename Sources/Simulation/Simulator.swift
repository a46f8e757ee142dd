package import HTTPClient
package import HTTPServing
package import LiveKit
package import Platform
import Synchronization
import Wire

/// Sends an office's webhooks to a receiver, as LiveKit would, at the pace of a timeline.
///
/// The thread that makes it runs it. `stop` may be called from any thread.
package final class Simulator {
    package enum Limits {
        /// The most webhooks that wait for a slow receiver. With more the office waits, too, and falls behind its
        /// timeline.
        static let waiting = 20_000
        /// The time for an answer. LiveKit has no time-out; a slower answer is a fault that the simulator shall show.
        static let answer = Duration.seconds(30)
        /// The time that a stop waits for running requests.
        static let farewell = Duration.seconds(5)
        /// The longest `Retry-After` that is followed: a longer one would only stop the demonstration.
        static let retryAfter_ms: Int64 = 30_000
    }

    /// Asks a running simulator to end early.
    package final class Stop: Sendable {
        private let isRaised = Atomic<Bool>(false)
        private let waker: Waker

        init(_ waker: Waker) { self.waker = waker }

        /// Asks for the end. It is safe in a signal handler.
        package func raise() {
            // The waker's own lock orders it.
            isRaised.store(true, ordering: .relaxed)
            waker.wake()
        }

        var isSet: Bool { isRaised.load(ordering: .relaxed) }
    }

    private struct WebhookDelivery: Sendable {
        let webhook: SimulatedWebhook
        let shift: TimeShift
        let due_ms: Int64
        let body: [UInt8]
        let headers: [HTTPHeader]
    }

    package let stop: Stop
    package private(set) var tally = Tally()
    /// What the receiver was told: the webhooks that were answered 200.
    package private(set) var truth = Truth()
    /// What really happened until now, whether a webhook told it or not.
    package private(set) var worldTruth = Truth()

    private let options: SimulateOptions
    private let time: any TimeSource
    private let transport: Transport
    private let newestSigner: () -> TokenSigner?
    private var signer: TokenSigner
    private var nextLookAtKeys: Int64 = 0
    private let timeline: Timeline
    private let startedAt: MonotonicTime
    private var office: Office
    private var upcoming: Occurrence?
    private let loss: WebhookLoss
    private var api: OfficeAPIServer?
    private var notifier = WebhookNotifier<WebhookDelivery>()
    private var underway: [RequestID: WebhookNotifier<WebhookDelivery>.Attempt] = [:]

    /// - Parameter newestSigner: asked once a second; its signer is used from then on unless it is nil.
    package init(
        _ options: SimulateOptions, time: any TimeSource = SystemTime(),
        newestSigner: @escaping () -> TokenSigner? = { nil }
    ) throws(TransportError) {
        self.newestSigner = newestSigner
        self.options = options
        self.time = time
        var transportOptions = TransportOptions()
        transportOptions.connectionsPerHost = options.connections
        transport = try Transport(transportOptions, time: time)
        stop = Stop(transport.waker)
        signer = TokenSigner(key: options.key, secret: options.secret)
        startedAt = time.monotonic()
        timeline = Timeline(startedAt: time.now(), speed: options.speed)
        office = Office(size: options.size, seed: options.seed, day: options.day)
        upcoming = office.nextOccurrence()
        loss = WebhookLoss(share: options.lost, seed: options.seed)
    }

    /// Starts the server API if the options ask for it.
    package func serveAPI() throws(ServingError) {
        guard let address = options.api else { return }
        api = try OfficeAPIServer(
            address, OfficeAPI(timeline: timeline, lies: options.lies, seed: options.seed), signer: signer)
    }

    /// The address of the server API; nil if there is none.
    package var apiAddress: ListenAddress? { api?.address }

    /// Milliseconds since the start.
    private var now: Int64 { time.monotonic().since(startedAt).milliseconds }

    /// Runs to the end of the day, or until `stop`. `watch` is called about every `interval`, and once at the end.
    package func run(every interval: Duration, _ watch: (Simulator, Progress) -> Void) {
        var nextWatch: Int64 = 0
        while !stop.isSet {
            feed()
            send()
            if isComplete { break }
            if now >= nextWatch {
                watch(self, progress())
                nextWatch = now + interval.milliseconds
            }
            wait(until: min(nextWatch, nextDue ?? nextWatch))
        }
        let farewell = now + Limits.farewell.milliseconds
        while !underway.isEmpty && now < farewell { wait(until: farewell) }
        watch(self, progress())
    }

    // MARK: One round

    /// Takes all due webhooks from the office.
    private func feed() {
        let now = now
        if now >= nextLookAtKeys {
            if let newest = newestSigner() {
                signer = newest
                api?.use(newest)
            }
            nextLookAtKeys = now + 1_000
        }
        while let occurrence = upcoming, notifier.waiting < Limits.waiting {
            let due = timeline.due(occurrence.at).milliseconds
            guard due <= now else { return }
            api?.take(occurrence)
            switch occurrence {
            case .webhook(let webhook): take(webhook, due: due)
            case .crash(let crash): worldTruth.count(crash)
            }
            upcoming = office.nextOccurrence()
        }
    }

    /// Takes one webhook that is due, and loses it if its lot is so.
    private func take(_ webhook: SimulatedWebhook, due: Int64) {
        let shift = timeline.shift(at: webhook.at)
        worldTruth.count(webhook, shift: shift)
        guard !loss.takes(webhook) else {
            tally.withheld += 1
            return
        }
        let body = webhook.message.body(shift: shift)
        // Signed once: every attempt carries the same token.
        let token = signer.webhookToken(for: body.span, at: time.now())
        let headers = [
            HTTPHeader(known: "Authorization", token),
            HTTPHeader(known: "Content-Type", "application/webhook+json"),
            HTTPHeader(known: "User-Agent", "LiveKit"),
        ]
        let due_ms = due + webhook.delay.milliseconds
        notifier.accept(
            WebhookDelivery(webhook: webhook, shift: shift, due_ms: due_ms, body: body, headers: headers),
            key: webhook.key,
            due: due_ms)
        tally.novelties[webhook.novelty, default: 0] += 1
    }

    private func send() {
        while underway.count < options.connections, let attempt = notifier.next(at: now) {
            let delivery = attempt.delivery
            let id = transport.start(
                Request(.post, options.url, headers: delivery.headers, body: delivery.body, timeout: Limits.answer))
            underway[id] = attempt
            tally.requests += 1
        }
    }

    /// The time at which something has to be sent next; nil if only answers can change anything.
    private var nextDue: Int64? {
        let isFull = underway.count >= options.connections
        let deliveries = isFull ? nil : notifier.nextDue
        let office = notifier.waiting < Limits.waiting ? upcoming.map { timeline.due($0.at).milliseconds } : nil
        return [deliveries, office].compactMap { $0 }.min()
    }

    private func wait(until deadline_ms: Int64) {
        var completions: [Completion] = []
        transport.poll(until: startedAt + .milliseconds(deadline_ms), into: &completions)
        for completion in completions { settle(completion) }
    }

    private func settle(_ completion: Completion) {
        guard let attempt = underway.removeValue(forKey: completion.id) else { return }
        let outcome: WebhookNotifier<WebhookDelivery>.Outcome
        switch completion.outcome {
        case .response(let response):
            outcome = .answered(status: response.status, retryAfter_ms: retryAfter(response))
            tally.answer_seconds += completion.duration.inSeconds
            tally.slowest_seconds = max(tally.slowest_seconds, completion.duration.inSeconds)
            if response.status != 200 { tally.problem = "answered \(response.status)\(hint(response.status))" }
        case .failure(let failure):
            outcome = .unanswered
            tally.unanswered += 1
            tally.problem = failure.description
        }
        switch notifier.report(attempt.key, outcome, at: now) {
        case .retried: tally.retried += 1
        case .lost: tally.lost += 1
        case .delivered:
            guard case .answered(let status, _) = outcome else { return }
            tally.statuses[status, default: 0] += 1
            tally.lag_seconds += Double(now - attempt.delivery.due_ms) / 1_000
            if status == 200 { truth.count(attempt.delivery.webhook, shift: attempt.delivery.shift) }
        }
    }

    private func retryAfter(_ response: HTTPClient.Response) -> Int64? {
        guard response.status == 429 || response.status == 503, let wait = response.retryAfter(at: time.now()) else {
            return nil
        }
        return min(wait.milliseconds, Limits.retryAfter_ms)
    }

    private func hint(_ status: Int) -> String {
        switch status {
        case 401: ": key, secret or clock differ from the receiver's"
        case 404, 405: ": is --url right?"
        default: ""
        }
    }

    // MARK: Telling

    /// Every webhook of the office is settled.
    package var isComplete: Bool { upcoming == nil && notifier.waiting == 0 }

    private func progress() -> Progress {
        let total = timeline.due(Office.epoch + options.size.length).milliseconds
        return Progress(
            elapsed: .milliseconds(now), left: .milliseconds(max(0, total - now)), waiting: notifier.waiting)
    }

    /// The progress of a run.
    package struct Progress: Sendable {
        package let elapsed: Duration
        /// The time until the last webhook is due.
        package let left: Duration
        /// The number of webhooks that are due or being sent.
        package let waiting: Int

        package init(elapsed: Duration, left: Duration, waiting: Int) {
            self.elapsed = elapsed
            self.left = left
            self.waiting = waiting
        }

        /// The finished share of the run, from 0 to 1.
        package var share: Double {
            let whole = (elapsed + left).inSeconds
            return whole > 0 ? min(1, elapsed.inSeconds / whole) : 1
        }
    }
}
