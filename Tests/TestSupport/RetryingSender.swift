import Platform

/// Delivers signed webhooks as LiveKit does, to a receiver that may die and come back.
///
/// Webhooks of one key are sent strictly one after the other: the next one is sent when the one before was answered or
/// given up. Connection errors, 5xx and 429 are retried. Any other status counts as delivered. Connections are kept
/// alive, and made anew after they broke. https://docs.livekit.io/home/server/webhooks/#delivery-and-retries
package final class RetryingSender: Sendable {
    /// One webhook.
    package struct Webhook: Sendable {
        package let key: String
        package let token: String
        package let body: [UInt8]

        package init(key: String, token: String, body: [UInt8]) {
            self.key = key
            self.token = token
            self.body = body
        }
    }

    /// The waits before a webhook is sent again.
    package struct Patience: Sendable {
        let waits: [Duration]
        let isEndless: Bool

        /// LiveKit's own waits: attempts at +0, +1, +3, +7 and +15 s, then the webhook is lost.
        package static let liveKit = Patience(waits: [1, 2, 4, 8].map { .seconds($0) }, isEndless: false)

        /// LiveKit's waits, scaled. The sender gives up after as many attempts as LiveKit.
        package static func liveKit(scaledBy factor: Double) -> Patience {
            Patience(waits: liveKit.waits.map { $0 * factor }, isEndless: false)
        }

        /// LiveKit's waits, scaled. The last wait is repeated until there is an answer.
        package static func untilAnswered(scaledBy factor: Double) -> Patience {
            Patience(waits: liveKit.waits.map { $0 * factor }, isEndless: true)
        }

        /// The wait after the attempt number `attempt`, counted from 1. Nil after the last attempt.
        func wait(after attempt: Int) -> Duration? {
            if attempt <= waits.count { return waits[attempt - 1] }
            return isEndless ? waits.last : nil
        }
    }

    /// The outcome of one webhook.
    package struct Outcome: Sendable {
        package var attempts = 0
        /// Attempts without an answer. The receiver may have taken them.
        package var unanswered = 0
        /// Answers that asked for another attempt, by status.
        package var refusals: [Int: Int] = [:]
        /// The status that settled the webhook. Nil if it is under way or lost.
        package var status: Int?
        package var isLost = false

        /// Attempts before the one that settled the webhook. The receiver may have taken them.
        package var repeats: Int { max(0, attempts - 1) }
    }

    /// The outcomes of all webhooks.
    package struct Record: Sendable {
        /// The outcomes in the order of the webhooks.
        package var outcomes: [Outcome]
        /// The longest time from a request to its answer, of any status.
        package var slowest = Duration.zero
        /// Refusals that carried the header `Retry-After`.
        package var retryAfters = 0
        /// Webhooks whose first attempt has begun.
        package var begun = 0
        /// Webhooks that are answered or lost.
        package var settled = 0

        /// Webhooks that were answered 200.
        package var accepted: Int { outcomes.count { $0.status == 200 } }
        package var lost: Int { outcomes.count { $0.isLost } }
        package var unanswered: Int { outcomes.reduce(0) { $0 + $1.unanswered } }
        /// Answers with this status that asked for another attempt.
        package func refusals(_ status: Int) -> Int { outcomes.reduce(0) { $0 + ($1.refusals[status] ?? 0) } }
    }

    private struct State: Sendable {
        var record: Record
        var isStopped = false
    }

    private let state: Monitor<State>
    private let lanes: [NamedThread]
    private let isJoined = Monitor(false)

    /// Starts to send.
    ///
    /// - Parameters:
    ///   - connections: the number of connections. Webhooks of one key share one.
    ///   - pace: the shortest time between two first attempts on one connection.
    package convenience init(
        _ webhooks: [Webhook], to port: UInt16, connections: Int = 8, patience: Patience, pace: Duration = .zero
    ) {
        self.init(webhooks, to: [port], lanes: connections, patience: patience, pace: pace)
    }

    /// Starts to send to several receivers, as through a load balancer that keeps a lane with one of them, and gives the
    /// next attempt to another one when that fails. So the events of a room stay in order where one replica spills them.
    ///
    /// - Parameters:
    ///   - lanes: the number of webhooks under way at once. Webhooks of one key share a lane, which has one connection
    ///     to each receiver.
    ///   - answer: the longest wait for an answer, in whole seconds. Then the connection is given up, and the attempt
    ///     has no answer.
    ///   - pace: the shortest time between two first attempts in one lane.
    package init(
        _ webhooks: [Webhook], to ports: [UInt16], lanes connections: Int = 8, patience: Patience,
        answer: Duration = Waits.limit, pace: Duration = .zero
    ) {
        var queues = Array(repeating: [Int](), count: connections)
        var queueOfKey: [String: Int] = [:]
        for (index, webhook) in webhooks.enumerated() {
            let queue = queueOfKey[webhook.key] ?? queueOfKey.count % connections
            queueOfKey[webhook.key] = queue
            queues[queue].append(index)
        }
        let outcomes = Array(repeating: Outcome(), count: webhooks.count)
        let state = Monitor(State(record: Record(outcomes: outcomes)))
        self.state = state
        lanes = queues.filter { !$0.isEmpty }.enumerated().map { number, queue in
            NamedThread(name: "sender") {
                var lane = Lane(
                    ports: ports, first: number, patience: patience, answer: answer, pace: pace, state: state)
                lane.send(queue.map { ($0, webhooks[$0]) })
            }
        }
    }

    deinit { _ = stop() }

    /// The progress so far.
    package var record: Record { state.withLock { $0.record } }

    package var isAllSettled: Bool { state.withLock { $0.record.settled == $0.record.outcomes.count } }

    /// Waits until `count` webhooks have begun. Returns false if that never happens.
    package func wait(untilBegun count: Int) -> Bool { wait { $0.begun >= count } }

    /// Waits until `count` webhooks are answered or lost. Returns false if that never happens.
    package func wait(untilSettled count: Int) -> Bool { wait { $0.settled >= count } }

    /// Waits until every webhook is answered or lost. Returns false if that never happens.
    package func waitUntilAllSettled() -> Bool { wait { $0.settled == $0.outcomes.count } }

    /// Waits until `condition` holds. Returns false if no webhooks are settled any more before it does.
    package func wait(until condition: (Record) -> Bool) -> Bool {
        while true {
            let before = record.settled
            let holds: Bool? = state.wait(until: Waits.end) { condition($0.record) ? true : nil }
            if holds == true { return true }
            if record.settled == before { return false }
        }
    }

    /// Ends every lane after its current attempt, and returns the outcomes.
    package func stop() -> Record {
        state.change { $0.isStopped = true }
        let mustJoin = isJoined.change { isJoined in
            defer { isJoined = true }
            return !isJoined
        }
        if mustJoin { for lane in lanes { lane.join() } }
        return record
    }

    // MARK: One webhook after the other

    private struct Lane {
        let ports: [UInt16]
        let patience: Patience
        let answer: Duration
        let pace: Duration
        let state: Monitor<State>
        /// The connection to each port.
        var connections: [RawHTTP?]
        /// The port of the next attempt, counted on and on.
        var turn: Int
        let time = SystemTime()

        init(
            ports: [UInt16], first turn: Int, patience: Patience, answer: Duration, pace: Duration,
            state: Monitor<State>
        ) {
            self.ports = ports
            self.turn = turn
            connections = Array(repeating: nil, count: ports.count)
            self.patience = patience
            self.answer = answer
            self.pace = pace
            self.state = state
        }

        mutating func send(_ webhooks: [(index: Int, webhook: Webhook)]) {
            for (index, webhook) in webhooks {
                let begun = time.monotonic()
                guard begin(), deliver(webhook, index) else { return }
                if pace > .zero, isStopped(waitingUntil: begun + pace) { return }
            }
        }

        private func begin() -> Bool {
            state.change { state in
                if !state.isStopped { state.record.begun += 1 }
                return !state.isStopped
            }
        }

        /// Waits. Returns true if the sender was told to stop, and false at the deadline.
        private func isStopped(waitingUntil deadline: MonotonicTime) -> Bool {
            state.wait(until: deadline) { $0.isStopped ? true : nil } ?? false
        }

        /// Delivers one webhook. Returns false if the sender was told to stop.
        private mutating func deliver(_ webhook: Webhook, _ index: Int) -> Bool {
            var attempt = 0
            while true {
                attempt += 1
                let start = time.monotonic()
                let reply = exchange(webhook)
                let took = time.monotonic().since(start)
                let wait = settle(reply, took, index, wait: patience.wait(after: attempt))
                guard let wait else { return true }
                if isStopped(waitingUntil: time.monotonic() + wait) { return false }
            }
        }

        /// Records an attempt. Returns the wait before the next one, or nil if the webhook is settled.
        private func settle(_ reply: RawHTTP.Reply?, _ took: Duration, _ index: Int, wait: Duration?) -> Duration? {
            let isFinal = reply.map { $0.status < 500 && $0.status != 429 } ?? false
            return state.change { state -> Duration? in
                state.record.outcomes[index].attempts += 1
                if let reply {
                    state.record.slowest = max(state.record.slowest, took)
                    if !isFinal {
                        state.record.outcomes[index].refusals[reply.status, default: 0] += 1
                        if reply.header("retry-after") != nil { state.record.retryAfters += 1 }
                    }
                } else {
                    state.record.outcomes[index].unanswered += 1
                }
                guard isFinal || wait == nil else { return wait }
                state.record.outcomes[index].status = isFinal ? reply?.status : nil
                state.record.outcomes[index].isLost = !isFinal
                state.record.settled += 1
                return nil
            }
        }

        private mutating func exchange(_ webhook: Webhook) -> RawHTTP.Reply? {
            let place = turn % ports.count
            // A load balancer notices that a receiver has closed. A connection to a lone one may die in use.
            if ports.count > 1, connections[place]?.isOver == true { connections[place] = nil }
            if connections[place] == nil { connections[place] = try? RawHTTP(port: ports[place], patience: answer) }
            let reply = connections[place]?.ask(
                "POST", "/webhook",
                headers: [
                    ("Authorization", webhook.token), ("Content-Type", "application/webhook+json"),
                    ("User-Agent", "LiveKit"),
                ], body: webhook.body)
            if reply.map({ $0.status >= 500 }) ?? true { turn += 1 }
            if reply == nil || reply?.header("connection")?.lowercased() == "close" { connections[place] = nil }
            return reply
        }
    }
}
