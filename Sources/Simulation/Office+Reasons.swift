import LiveKit

/// The reasons of ends. Most people leave because they want to.
extension Office {
    mutating func departureReason(of sid: String) -> DisconnectReason {
        let dice = random.unit()
        let usual: DisconnectReason =
            dice < 0.88
            ? .client_initiated : dice < 0.95 ? .connection_timeout : dice < 0.98 ? .signal_close : .migration
        guard size.guests == .all, usual == .client_initiated, let attendee = attendees[sid] else { return usual }
        let other = guestRandom.unit()
        switch attendee.kind {
        case .sip where attendee.call != .unknown: return other < 0.08 ? .sip_trunk_failure : .client_initiated
        case .agent: return other < 0.04 ? .agent_error : .client_initiated
        default:
            switch other {
            case ..<0.03: return .media_failure
            case ..<0.045: return .participant_removed
            case ..<0.05: return .state_mismatch
            case ..<0.055: return .server_shutdown
            // MoveParticipant tells none.
            case ..<0.06: return .unknown
            default: return .client_initiated
            }
        }
    }

    mutating func abortReason() -> DisconnectReason {
        guard size.guests == .all else { return .join_failure }
        let dice = guestRandom.unit()
        return dice < 0.7 ? .join_failure : dice < 0.85 ? .connection_timeout : .media_failure
    }

    mutating func endReason(_ reason: DisconnectReason) -> RoomEndReason? {
        guard size.server == .new else { return nil }
        guard size.guests == .all else { return .idle_timeout }
        if reason == .room_deleted { return .api_delete }
        let dice = guestRandom.unit()
        return dice < 0.9 ? .idle_timeout : dice < 0.95 ? .server_shutdown : .api_delete
    }
}

extension Attendee {
    var visitor: Fact.Visitor {
        Fact.Visitor(sid: sid, identity: identity, kind: kind, agentName: agentName, direction: call)
    }

    /// The attributes that LiveKit's agents and its SIP service set, in order of their names.
    var attributes: [(name: String, value: String)] {
        if !agentName.isEmpty { return [("lk.agent.name", agentName), ("lk.agent.state", "listening")] }
        guard call != .unknown else { return [] }
        var attributes = [
            ("sip.callID", "SCL_\(sid.dropFirst(3))"), ("sip.callStatus", "active"),
            ("sip.phoneNumber", "+\(identity.drop { !$0.isNumber })"),
        ]
        if call == .inbound { attributes.append(("sip.ruleID", "SDR_abcdefghijkl")) }
        attributes.append(("sip.trunkID", "ST_abcdefghijkl"))
        return attributes
    }
}
