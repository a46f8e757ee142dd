import HTTPServing
import Platform

/// An answer that is served again while it is young, so that it is made twice a second at most, however many ask.
struct ServedCopy {
    enum Limits {
        /// The age up to which a copy is served again. People see a copy that is a second old at most.
        static let age = Duration.milliseconds(500)
    }

    private var made: (at: MonotonicTime, response: Response)?

    /// The copy. Nil if there is none, or if it is too old.
    func response(at now: MonotonicTime) -> Response? {
        made.flatMap { now.since($0.at) < Limits.age ? $0.response : nil }
    }

    /// Keeps a new answer, and returns it.
    mutating func keep(_ response: Response, at now: MonotonicTime) -> Response {
        made = (now, response)
        return response
    }
}
