package import LiveKit
import Metrics

/// The kinds of jobs. All start, run and end in the same way.
enum JobKind: CaseIterable {
    case egress, ingress, agentJob

    var entity: EntityKind {
        switch self {
        case .egress: .egress
        case .ingress: .ingress
        case .agentJob: .agent_job
        }
    }
}

extension Ingress {
    /// The key of one run of an ingress, which can be used again under the same id.
    package var sessionKey: String {
        if !resourceID.isEmpty { return resourceID }
        return id.isEmpty ? "" : "\(id) \(startedAt_ns)"
    }
}

extension RoomNameState {
    subscript(jobs kind: JobKind) -> [Slot<JobState>] {
        _read {
            switch kind {
            case .egress: yield egress
            case .ingress: yield ingress
            case .agentJob: yield agentJobs
            }
        }
        _modify {
            switch kind {
            case .egress: yield &egress
            case .ingress: yield &ingress
            case .agentJob: yield &agentJobs
            }
        }
    }
}

extension Catalog {
    /// The gauge of the open jobs of a kind; nil for agent jobs, whose gauge is that of their usage.
    func jobsActive(_ kind: JobKind) -> Metric<Gauge>? {
        switch kind {
        case .egress: egressActive
        case .ingress: ingressActive
        case .agentJob: nil
        }
    }
}
