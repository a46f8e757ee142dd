package import RemoteWrite

/// The result of a probe: the answer, and everything that it tells about the receiver, for people.
package struct ProbeReport: Sendable, Equatable {
    /// The answer to the last request.
    package enum Answer: Sendable, Equatable {
        /// The receiver accepted the request.
        case accepted(status: Int)
        /// The receiver gave another answer. The message is its own, at most 1 KiB.
        case refused(status: Int, message: String)
        /// A page for people answered, such as a login.
        case page(status: Int)
        /// No answer came.
        case failed(String)
    }

    /// One thing that the probe found out.
    package struct Finding: Sendable, Equatable {
        package enum Weight: Sendable, Equatable {
            case good
            /// Pushing works, and something should be better.
            case warning
            /// Pushing does not work, or what is pushed is lost.
            case fault
        }

        package let weight: Weight
        /// A sentence or more: what is, what it costs, what to do. One line.
        package let text: String
    }

    package let answer: Answer
    /// The message that this receiver is sent from the first request on. Nil if that is not known yet.
    package let message: Message?
    /// The first one is about the answer.
    package let findings: [Finding]

    init(answer: Answer, message: Message?, findings: [Finding]) {
        self.answer = answer
        self.message = message
        self.findings = findings
    }

    /// The report of a probe that could not send a request.
    init(failure: String) {
        self.init(
            answer: .failed(failure), message: nil,
            findings: [Finding(weight: .fault, text: "no request can be made: \(failure)")])
    }

    /// True if pushing works.
    package var isGood: Bool { findings.allSatisfy { $0.weight != .fault } }
}
