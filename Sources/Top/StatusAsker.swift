import HTTPClient
import Platform
import Wire

/// Asks for the status document again and again. It belongs to the thread that made it.
final class StatusAsker {
    let url: EndpointURL
    let waker: Waker
    private let transport: Transport
    private let time = SystemTime()
    private var isAsking = false
    private var next: MonotonicTime
    private var completions: [Completion] = []

    init(_ transport: Transport, _ url: EndpointURL) {
        self.transport = transport
        self.url = url
        waker = transport.waker
        next = time.monotonic()
    }

    /// Asks at the next turn, unless an answer is awaited already.
    func hurry() { next = time.monotonic() }

    /// Waits for the next answer. Returns nil when something else is to be done: the waker was called, or `deadline`
    /// passed.
    func turn(every interval: Duration, until deadline: MonotonicTime? = nil) -> StatusAnswer? {
        let now = time.monotonic()
        if !isAsking, now >= next {
            _ = transport.start(StatusAnswer.request(url))
            isAsking = true
            next = now + interval
        }
        let wake = isAsking ? deadline : min(next, deadline ?? next)
        transport.poll(until: wake, into: &completions)
        guard let completion = completions.popLast() else { return nil }
        completions.removeAll()
        isAsking = false
        return StatusAnswer(completion.outcome, from: url)
    }
}
