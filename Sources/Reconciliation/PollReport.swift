import HTTPClient
import LiveKit
import Metrics
import Platform
import Status
import Wire

/// Tells of the polls: in metrics, in the status and in the log. No line names a room or a person.
struct PollReport {
    private let settings: PollerSettings
    private let metrics: PollMetrics
    private let published: PublishedStatus
    private let log: Log
    private var trouble = PollTrouble()

    init(_ settings: PollerSettings, _ metrics: PollMetrics, _ published: PublishedStatus, _ log: Log) {
        self.settings = settings
        self.metrics = metrics
        self.published = published
        self.log = log
    }

    // MARK: Calls

    /// Counts a call.
    func count(_ call: ServerCall, _ code: String) { metrics.requests.series([call.name, code])?.increment() }

    /// Tells that calls are signed with another key.
    func tellNewKey() { log.info("calls of LiveKit's API are signed with the new key") }

    // MARK: Polls

    /// Tells that all lists of a poll came.
    func listed(at now: Timestamp) {
        metrics.lastSuccess.series()?.set(now.seconds)
        published.change { $0.lastSuccess = now }
    }

    /// Tells that all calls of a poll were answered.
    mutating func succeeded() {
        if let failures = trouble.succeeded() {
            log.info("LiveKit's API answers again: the state is compared", ["failed_polls": .int(failures)])
        }
        published.change { status in
            status.failures = 0
            (status.cause, status.action, status.setting) = ("", "", "")
        }
    }

    /// Tells what a poll found.
    mutating func found(_ figures: PollFigures) {
        for entity in PolledEntity.allCases {
            let drift = figures.drift[entity]
            metrics.drift.series([entity.rawValue, "missing"])?.set(drift.missing)
            metrics.drift.series([entity.rawValue, "extra"])?.set(drift.extra)
            metrics.ghosts.series([entity.rawValue])?.set(figures.ghosts[entity])
            let conflicts = figures.conflicts[entity]
            if conflicts > 0 { metrics.conflicts.series([entity.rawValue])?.increment(by: Double(conflicts)) }
        }
        published.change { status in
            status.entities = PolledEntity.allCases.map { entity in
                var shown = ReconciledEntityStatus()
                shown.entity = entity.rawValue
                shown.missing = figures.drift[entity].missing
                shown.extra = figures.drift[entity].extra
                shown.ghosts = figures.ghosts[entity]
                return shown
            }
        }
    }

    /// Tells why the lists of a poll are suspicious, if they are.
    mutating func doubted(_ doubts: [Poll.Doubt]) {
        for doubt in doubts { metrics.untrusted.series([doubt.rawValue])?.increment() }
        published.change { $0.doubt = doubts.first?.rawValue ?? "" }
        let (new, isOver) = trouble.doubted(doubts)
        for doubt in new {
            switch doubt {
            case .empty_list:
                log.throttled(
                    .warning, "LiveKit lists nothing, though webhooks arrive: the list is not believed",
                    ["url": .text(settings.server)])
            case .recent_missing:
                log.throttled(.info, "LiveKit does not list what just had an event: corrections need three polls")
            case .many_ends:
                log.throttled(.info, "LiveKit lists much less than is open: corrections need three polls")
            }
        }
        if isOver { log.info("LiveKit's lists are believed again") }
    }

    /// Tells that a poll failed.
    mutating func failed(_ failure: CallFailure) {
        let kind = PollTrouble.Kind(failure)
        tell(kind, cause: "\(failure.call.name): \(failure.reason)", fields(failure, kind))
    }

    /// Tells that the recorder did not answer in time.
    mutating func failedForBusyRecorder() { tell(.busyRecorder, cause: "the recorder did not answer in time", [:]) }

    private mutating func tell(_ kind: PollTrouble.Kind, cause: String, _ fields: Log.Fields) {
        let isNew = trouble.failed(kind)
        published.change { status in
            status.failures = trouble.failures
            (status.cause, status.action, status.setting) = (cause, kind.action, kind.setting)
        }
        guard isNew else { return }
        switch kind {
        case .refused:
            log.throttled(
                .error, "LiveKit refuses a call: lost webhooks are not corrected. Check the key and its rights", fields)
        case .wrongAddress:
            log.throttled(
                .error, "what answers at LIVEKIT_URL has no such call: lost webhooks are not corrected", fields)
        case .limited:
            log.throttled(.warning, "LiveKit takes no more calls now: corrections of lost webhooks wait", fields)
        case .failing: log.throttled(.warning, "LiveKit's API fails: corrections of lost webhooks wait", fields)
        case .unanswered:
            log.throttled(.warning, "LiveKit's API does not answer: corrections of lost webhooks wait", fields)
        case .garbage:
            log.throttled(
                .error, "LiveKit's API answers with no list: corrections of lost webhooks wait. Check LIVEKIT_URL",
                fields)
        case .tooLarge:
            log.throttled(
                .error, "a list of LiveKit's API is too large: lost webhooks are not corrected", fields)
        case .busyRecorder:
            log.throttled(.warning, "the recorder is too busy to be compared with LiveKit: corrections wait")
        }
    }

    private func fields(_ failure: CallFailure, _ kind: PollTrouble.Kind) -> Log.Fields {
        [
            "call": .string(failure.call.name), "grant": .string(failure.call.grant),
            "reason": .string(failure.reason), "setting": .string(kind.setting), "url": .text(settings.server),
        ]
    }
}

extension CallFailure {
    /// The reason for people. It quotes nothing of an answer but Twirp's code.
    fileprivate var reason: String {
        switch kind {
        case .unanswered(_, let text): text
        case .refused(let status, let code, _): "status \(status)" + (code.map { ", \($0)" } ?? "")
        case .garbage(let text): text
        case .tooLarge: "the answer is too large"
        }
    }
}
