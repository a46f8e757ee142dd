import Platform
import TestSupport

/// A receiver that goes away and comes back on the same port. It keeps what it has stored, and refuses as Prometheus does
/// what does not follow.
final class OutageReceiver {
    /// What becomes of a request.
    enum Condition: String, Sendable {
        case taken
        /// It is answered 503.
        case refused
        /// Nobody listens.
        case absent
        /// It is read and never answered.
        case unanswered
    }

    let port = FixedPorts.pick()
    private let dialect: ScriptedReceiver.Dialect
    private var current: ScriptedReceiver?
    private var earlier: [ScriptedReceiver.Recorded] = []
    private var stored = SampleStore()

    init(_ condition: Condition, dialect: ScriptedReceiver.Dialect = .both) throws(SystemError) {
        self.dialect = dialect
        try change(to: condition)
    }

    var url: String { "http://127.0.0.1:\(port)/api/v1/write" }

    /// All requests so far.
    var requests: [ScriptedReceiver.Recorded] { earlier + (current?.requests ?? []) }

    /// What it holds.
    var store: SampleStore { current?.store ?? stored }

    /// Ends all connections, and treats later requests in another way.
    ///
    /// - Parameter observer: gets each request before it is answered.
    func change(
        to condition: Condition, observer: (@Sendable (ScriptedReceiver.Recorded) -> Void)? = nil
    ) throws(SystemError) {
        if let current {
            current.stop()
            earlier += current.requests
            stored = current.store
        }
        current = nil
        let answer: ScriptedReceiver.Answer
        switch condition {
        case .taken: answer = .init()
        case .refused: answer = .init(503)
        case .unanswered: answer = .hang
        case .absent: return
        }
        let next = try ScriptedReceiver(port: port, otherwise: answer, dialect: dialect, judges: true, after: stored)
        if let observer { next.observe(observer) }
        current = next
    }

    /// Waits until it was sent this many more requests in its present condition.
    func waitForRequests(_ count: Int) -> Bool { current?.wait { $0.count >= count } ?? false }

    /// Waits until this many requests are answered in its present condition.
    func waitForAnswers(_ count: Int) -> Bool { current?.waitForAnswers(count) ?? false }
}
