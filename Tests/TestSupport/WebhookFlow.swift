import Platform

/// A LiveKit that sends signed webhooks, one after the other, as long as the object lives.
///
/// They tell again and again of one person in one room, under a new event id each time. So events are counted, and
/// rooms and people do not grow in number.
package final class WebhookFlow: Sendable {
    /// The webhooks that it sends.
    package struct Kind: Sendable {
        package var room: String
        package var identity: String
        package var secret: String
        package var path: String
        /// Each webhook is sent twice.
        package var isRepeated = false
        /// Somebody else joins and leaves each time. Their identities begin with that of this kind.
        package var isOfManyPeople = false

        package init(
            room: String = "office", identity: String = "Ann", secret: String = BuiltProgram.secret,
            path: String = "/webhook"
        ) {
            self.room = room
            self.identity = identity
            self.secret = secret
            self.path = path
        }
    }

    private struct State {
        package var kind: Kind
        /// Answers by status, since the kind was changed. 0 stands for none.
        var answers: [Int: Int] = [:]
        var isOver = false
    }

    private let state: Monitor<State>
    private let thread: NamedThread

    package init(to port: UInt16, _ kind: Kind) {
        let state = Monitor(State(kind: kind))
        self.state = state
        thread = NamedThread(name: "livekit") {
            let time = SystemTime()
            var number = 0
            while true {
                let kind = state.withLock { $0.kind }
                number += 1
                let identity = kind.isOfManyPeople ? "\(kind.identity)\(number)" : kind.identity
                for event in kind.isOfManyPeople ? ["participant_joined", "participant_left"] : ["participant_joined"] {
                    let webhook = SignedWebhook.make(event, room: kind.room, identity: identity, secret: kind.secret)
                    for _ in 0..<(kind.isRepeated ? 2 : 1) {
                        let client = try? LoopbackClient(port: port)
                        let answer = client?.post(kind.path, ["Authorization": webhook.token], webhook.body)
                        state.change { $0.answers[answer?.status ?? 0, default: 0] += 1 }
                    }
                }
                let end: Bool? = state.wait(until: time.monotonic() + .milliseconds(150)) { $0.isOver ? true : nil }
                if end == true { return }
            }
        }
    }

    deinit {
        state.change { $0.isOver = true }
        thread.join()
    }

    /// The webhooks that it sends now.
    package var kind: Kind { state.withLock { $0.kind } }

    /// Sends other webhooks from now on.
    package func change(_ body: (inout Kind) -> Void) {
        state.change { state in
            body(&state.kind)
            state.answers = [:]
        }
    }

    /// Answers by status, since the webhooks were changed.
    package var answers: [Int: Int] { state.withLock { $0.answers } }

    /// Waits until so many webhooks had an answer with this status, since the webhooks were changed.
    package func wait(for count: Int, _ status: Int) -> Bool {
        state.wait(until: Waits.end) { $0.answers[status, default: 0] >= count ? true : nil } ?? false
    }
}
