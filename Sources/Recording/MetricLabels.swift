import LiveKit
import Storage

/// The labels of a metric besides those of its organization, with every combination of their values.
struct MetricLabels: Sendable {
    let names: [String]
    /// The combinations of values, in the order of `names`. The offset of a series is its place in this list.
    let combinations: [[String]]

    /// The first labels of every metric of an organization.
    static let organizationNames = ["project", "region", "org_id"]

    static let none = MetricLabels(names: [], combinations: [[]])
    static let event = MetricLabels("event", EventType.allCases.map(\.rawValue))
    static let reason = MetricLabels("reason", LookupError.allCases.map(\.rawValue))
    static let track = MetricLabels(
        names: ["source", "type"],
        combinations: Track.Source.allCases.flatMap { source in
            Track.Medium.allCases.map { [source.rawValue, $0.rawValue] }
        })
    static let requestType = MetricLabels("request_type", Egress.RequestType.allCases.map(\.rawValue))
    static let requestTypeAndResult = requestType.and(JobResult.labels)
    static let inputType = MetricLabels("input_type", Ingress.InputType.allCases.map(\.rawValue))
    static let inputTypeAndResult = inputType.and(JobResult.labels)
    static let kind = MetricLabels("kind", Participant.Kind.inStoredOrder.map(\.label))
    static let disconnectReason = MetricLabels("reason", DisconnectReason.allCases.map(\.rawValue))
    static let kindAndReason = kind.and(disconnectReason)
    static let roomEndReason = MetricLabels("reason", RoomEndReason.allCases.map(\.rawValue))
    static let requestTypeAndStatus = requestType.and(EgressStatus.labels)
    static let requestTypeAndCode = requestType.and(ErrorClass.labels)
    static let direction = MetricLabels("direction", CallDirection.allCases.map(\.rawValue))
    static let usage = MetricLabels("usage", UsageKind.allCases.map(\.rawValue))
    static let activityWindow = MetricLabels("window", Report.Window.ofActivity.map(\.label))
    static let recordingWindow = MetricLabels("window", Report.Window.allCases.map(\.label))
    static let entity = MetricLabels("entity", EntityKind.allCases.map(\.rawValue))
    static let correction = MetricLabels("rule", Correction.allCases.map(\.rawValue))
    static let entityAndAction = entity.and(
        MetricLabels("action", CorrectionAction.allCases.map(\.rawValue)))
    static let release = MetricLabels("reason", WaitRelease.allCases.map(\.rawValue))

    init(names: [String], combinations: [[String]]) {
        self.names = names
        self.combinations = combinations
    }

    init(_ name: String, _ values: [String]) {
        self.init(names: [name], combinations: values.map { [$0] })
    }

    /// Returns every combination of these labels with the other ones. The last label varies fastest.
    func and(_ other: MetricLabels) -> MetricLabels {
        MetricLabels(
            names: names + other.names,
            combinations: combinations.flatMap { mine in other.combinations.map { mine + $0 } })
    }
}

/// The result of a job. The raw value is the label value of `result`.
enum JobResult: String, CaseIterable {
    case success, failed

    static let labels = MetricLabels("result", allCases.map(\.rawValue))
}

/// The final status of an egress. The raw value is the label value of `status`.
enum EgressStatus: String, CaseIterable {
    case complete, failed, aborted, limit_reached

    static let labels = MetricLabels("status", allCases.map(\.rawValue))

    /// A status that is not final counts as `failed`: the job has ended all the same.
    init(_ status: Egress.Status) {
        switch status {
        case .complete: self = .complete
        case .aborted: self = .aborted
        case .limitReached: self = .limit_reached
        case .failed, .starting, .active, .ending, .other: self = .failed
        }
    }

    var ordinal: Int {
        switch self {
        case .complete: 0
        case .failed: 1
        case .aborted: 2
        case .limit_reached: 3
        }
    }
}

/// The class of an egress' `errorCode`. The raw value is the label value of `code`.
enum ErrorClass: String, CaseIterable {
    case client = "4xx"
    case server = "5xx"
    case none

    static let labels = MetricLabels("code", allCases.map(\.rawValue))

    init(_ code: Int64) {
        switch code {
        case 400..<500: self = .client
        case 500..<600: self = .server
        default: self = .none
        }
    }

    var ordinal: Int {
        switch self {
        case .client: 0
        case .server: 1
        case .none: 2
        }
    }
}

/// The kinds of entities that the recorder keeps open. The raw value is the label value of `entity`.
enum EntityKind: String, CaseIterable {
    case room, participant, track, egress, ingress, agent_job
}

/// The rules that close an entity without its own end. The raw value is the label value of `rule`.
enum Correction: String, CaseIterable {
    /// Its room started again, because a node crashed.
    case room_restarted
    /// Its identity joined the same room again.
    case identity_replaced
    /// Its room's name has a newer SID.
    case room_name_reused
    /// Its ingress started again.
    case ingress_restarted
}

/// The results of a confirmed difference to LiveKit's API. The raw value is the label value of `action`.
enum CorrectionAction: String, CaseIterable {
    /// It was opened. Its start is not counted.
    case adopted
    /// It ended at a time that LiveKit tells, as if its webhook had come.
    case ended
    /// It ended unseen, and its end is its last evidence.
    case estimated
    /// It was closed without an end.
    case dropped
}

/// The reasons for which waiting events are applied without an answer. The raw value is the label value of `reason`.
enum WaitRelease: String, CaseIterable {
    case time_out, queue_full, stopped
}
