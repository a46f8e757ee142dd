package import LiveKit
import Metrics

/// The two kinds of jobs. Both start, run and end in the same way.
enum JobKind {
    case egress, ingress

    var entity: EntityKind { self == .egress ? .egress : .ingress }
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
            }
        }
        _modify {
            switch kind {
            case .egress: yield &egress
            case .ingress: yield &ingress
            }
        }
    }
}

extension Catalog {
    func jobsActive(_ kind: JobKind) -> Metric<Gauge> { kind == .egress ? egressActive : ingressActive }
}
