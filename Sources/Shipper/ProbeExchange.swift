package import HTTPClient
import Platform
package import RemoteWrite
package import Wire

/// Decides which requests a probe sends, and reads the answers.
package struct ProbeExchange {
    /// A request, and what became of it.
    package struct Attempt: Sendable {
        let message: Message
        let outcome: Completion.Outcome
        let sentAt: Timestamp
        let receivedAt: Timestamp

        package init(message: Message, outcome: Completion.Outcome, sentAt: Timestamp, receivedAt: Timestamp) {
            self.message = message
            self.outcome = outcome
            self.sentAt = sentAt
            self.receivedAt = receivedAt
        }
    }

    enum Limits {
        /// Receivers refuse samples that are further ahead of their clock.
        static let ahead = Duration.seconds(600)
    }

    private let settings: ShipperSettings
    private var attempts: [Attempt] = []

    package init(_ settings: ShipperSettings) { self.settings = settings }

    /// Takes the outcome of the request that `next` asked for.
    package mutating func take(_ attempt: Attempt) { attempts.append(attempt) }

    /// The message of the next request. Nil if nothing is left to ask.
    package var next: Message? {
        guard let last = attempts.last else { return settings.delivery.message == .v1 ? .v1 : .v2 }
        return attempts.count == 1 && isForeign(last) ? .v1 : nil
    }

    /// True if the receiver may read version 1.0, and does not read 2.0. A receiver of 1.0 can answer 2.0 with 204 and
    /// store nothing. https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#required-written-response-headers
    private func isForeign(_ attempt: Attempt) -> Bool {
        guard attempt.message == .v2, case .response(let response) = attempt.outcome else { return false }
        switch response.status {
        case 400, 415: return true
        case 202: return false
        case 200..<300: return !Self.tellsWritten(response) && !ShipperRequests.isPage(response)
        default: return false
        }
    }

    private static func tellsWritten(_ response: Response) -> Bool {
        ["samples", "histograms", "exemplars"].contains {
            response.headers["x-prometheus-remote-write-\($0)-written"] != nil
        }
    }

    // MARK: The report

    /// Everything that the answers tell. There must be one.
    package var report: ProbeReport {
        guard let last = attempts.last else { preconditionFailure("a probe sends at least one request") }
        let answer = Self.answer(last)
        var findings = [finding(last, answer)]
        var message: Message?
        if findings[0].weight == .good {
            (message, findings) = (readMessage(last), findings + [messageFinding(last)])
        }
        if let clock = clockFinding { findings.append(clock) }
        return ProbeReport(answer: answer, message: message, findings: findings)
    }

    private static func answer(_ attempt: Attempt) -> ProbeReport.Answer {
        switch attempt.outcome {
        case .failure(let failure): .failed(failure.description)
        case .response(let response) where !(200..<300).contains(response.status):
            .refused(status: response.status, message: ShipperRequests.words(of: response))
        case .response(let response) where ShipperRequests.isPage(response): .page(status: response.status)
        case .response(let response): .accepted(status: response.status)
        }
    }

    private func finding(_ attempt: Attempt, _ answer: ProbeReport.Answer) -> ProbeReport.Finding {
        let meaning = ReceiverHint(settings)
        let (what, closing): (ReceiverHint.Meaning?, String) =
            switch (attempt.outcome, answer) {
            case (.failure(let failure), _):
                (meaning.of(failure), "The attempt ended with: \(failure)")
            case (.response(let response), .refused(let status, let words)):
                (
                    meaning.of(response, at: attempt.receivedAt),
                    "It answered with status \(status)\(words.isEmpty ? "" : ": \(words)")"
                )
            case (.response(let response), .page):
                (meaning.ofPage(response), "It answered with status \(response.status) and a page of HTML")
            case (.response(let response), _):
                (meaning.ofAccepted(response), "It answered with status \(response.status)")
            }
        guard let what else {
            guard case .response(let response) = attempt.outcome else { preconditionFailure("failures have a meaning") }
            return .init(weight: .good, text: "accepted (status \(response.status))")
        }
        return .init(weight: .fault, text: "\(what.text). \(what.advice) \(closing)")
    }

    private func readMessage(_ last: Attempt) -> Message? {
        guard case .response(let response) = last.outcome, response.status != 202 || last.message == .v1 else {
            return nil
        }
        return last.message
    }

    private func messageFinding(_ last: Attempt) -> ProbeReport.Finding {
        guard attempts.count > 1, case .response(let first) = attempts[0].outcome else {
            if last.message == .v1 {
                return .init(weight: .good, text: "remote write 1.0 is sent, as \(settings.variables.message) says")
            }
            return readMessage(last) == .v2
                ? .init(weight: .good, text: "it reads remote write 2.0, which lkpush sends")
                : .init(weight: .good, text: "status 202 does not show whether it reads remote write 2.0")
        }
        let without = (200..<300).contains(first.status) ? " and without the headers of 2.0" : ""
        let reads = "it reads remote write 1.0 and not 2.0, which it answered with status \(first.status)\(without)"
        return settings.delivery.message == .v2
            ? .init(
                weight: .fault,
                text: "\(reads): all that is pushed is lost. Set \(settings.variables.message) to auto, or leave it out"
            )
            : .init(weight: .good, text: "\(reads): lkpush falls back to 1.0 by itself")
    }

    /// The difference of the clocks. It is certain: only what exceeds the duration of the request and the second that
    /// the header is rounded to counts. Nil if no answer had a date.
    private var clockFinding: ProbeReport.Finding? {
        var ahead: Duration?
        var behind: Duration?
        for attempt in attempts {
            guard case .response(let response) = attempt.outcome,
                let clock = response.clock(
                    receivedAt: attempt.receivedAt, took: attempt.receivedAt.since(attempt.sentAt))
            else { continue }
            ahead = min(ahead ?? .seconds(Int64.max), max(.zero, clock.least))
            behind = min(behind ?? .seconds(Int64.max), max(.zero, .zero - clock.most))
        }
        guard let ahead, let behind else { return nil }
        let difference = ClockDifference(ahead > behind ? ahead : .zero - behind)
        let cost =
            if ahead >= Limits.ahead {
                "samples more than 10 min ahead are refused, so nothing is stored"
            } else if ahead > behind {
                "every sample is stored at a wrong time, and more than 10 min ahead all are refused"
            } else {
                "every sample is stored at a wrong time, graphs and alerts are late, and old samples are refused"
            }
        let weight: ProbeReport.Finding.Weight =
            switch difference.weight {
            case .none: .good
            case .notable: .warning
            case .harmful: .fault
            }
        return .init(weight: weight, text: difference.text(from: "its clock", cost: cost))
    }
}
