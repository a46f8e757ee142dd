import LiveKit
import Storage

// The index of each label value in its `allCases`, without a search, because it is on the path of every event. A test
// compares them with `allCases`.

extension Track {
    /// The offset in `MetricLabels.track`.
    var ordinal: Int { source.ordinal * Medium.allCases.count + type.ordinal }
}

extension Track.Source {
    var ordinal: Int {
        switch self {
        case .camera: 0
        case .microphone: 1
        case .screen_share: 2
        case .screen_share_audio: 3
        case .unknown: 4
        }
    }
}

extension Track.Medium {
    var ordinal: Int {
        switch self {
        case .audio: 0
        case .video: 1
        case .unknown: 2
        }
    }
}

extension Egress.RequestType {
    var ordinal: Int {
        switch self {
        case .room_composite: 0
        case .web: 1
        case .track: 2
        case .participant: 3
        case .track_composite: 4
        case .template: 5
        case .media: 6
        case .replay: 7
        case .unknown: 8
        }
    }
}

extension Ingress.InputType {
    var ordinal: Int {
        switch self {
        case .rtmp: 0
        case .whip: 1
        case .url: 2
        case .unknown: 3
        }
    }
}

extension JobResult {
    var ordinal: Int { self == .success ? 0 : 1 }
}

extension LookupError {
    var ordinal: Int {
        switch self {
        case .not_configured: 0
        case .room_not_found: 1
        case .no_organization: 2
        case .no_org_id: 3
        case .lookup_error: 4
        }
    }
}

extension EntityKind {
    var ordinal: Int {
        switch self {
        case .room: 0
        case .participant: 1
        case .track: 2
        case .egress: 3
        case .ingress: 4
        case .agent_job: 5
        }
    }
}

extension Correction {
    var ordinal: Int {
        switch self {
        case .room_restarted: 0
        case .identity_replaced: 1
        case .room_name_reused: 2
        case .ingress_restarted: 3
        }
    }
}

extension CorrectionAction {
    var ordinal: Int {
        switch self {
        case .adopted: 0
        case .ended: 1
        case .estimated: 2
        case .dropped: 3
        }
    }
}

extension WaitRelease {
    var ordinal: Int {
        switch self {
        case .time_out: 0
        case .queue_full: 1
        case .stopped: 2
        }
    }
}

extension DisconnectReason {
    var ordinal: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension RoomEndReason {
    var ordinal: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
