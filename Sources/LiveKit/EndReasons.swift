import Wire

// The reasons that LiveKit tells for an end. Each raw value is a label value of `reason`: LiveKit's name in lower case
// without the prefix of its enumeration. A reason that this program does not know is `unknown`, as none is.

/// `DisconnectReason`: the reason for which a participant left.
/// https://github.com/livekit/protocol/blob/main/protobufs/livekit_models.proto
package enum DisconnectReason: String, Sendable, CaseIterable {
    case unknown
    case client_initiated, duplicate_identity, server_shutdown, participant_removed, room_deleted, state_mismatch
    case join_failure, migration, signal_close, room_closed, user_unavailable, user_rejected, sip_trunk_failure
    case connection_timeout, media_failure, agent_error
}

extension DisconnectReason: StoredEnumeration {
    package static let inStoredOrder = allCases

    /// The values by LiveKit's names and numbers, which are in the order of the cases.
    static let table = EnumerationTable(of: allCases) { $0.rawValue.uppercased() }
}

/// `RoomEndReason`: the reason for which a room ended. Servers up to 1.13.5 tell none.
/// https://github.com/livekit/protocol/pull/1748
package enum RoomEndReason: String, Sendable, CaseIterable {
    case unknown, api_delete, idle_timeout, server_shutdown, superseded, open_failed
}

extension RoomEndReason: StoredEnumeration {
    package static let inStoredOrder = allCases

    static let table = EnumerationTable(of: allCases) { "ROOM_END_\($0.rawValue.uppercased())" }
}

/// The direction of a call. The raw value is the label value of `direction`.
package enum CallDirection: String, Sendable, CaseIterable {
    /// A participant with the attribute `sip.ruleID`: a dispatch rule took the call.
    case inbound
    /// A participant with `sip.callID` and no rule: lkpush's users made the call.
    case outbound
    /// The server told no attributes.
    case unknown
}

extension CallDirection: StoredEnumeration {
    package static let inStoredOrder: [CallDirection] = [.unknown, .inbound, .outbound]
}

extension EnumerationTable where Value: Equatable {
    /// Makes the table of an enum whose numbers are the places of `values`; the first value stands for what is absent
    /// or not known.
    fileprivate init(of values: [Value], _ name: (Value) -> String) {
        self.init(
            absent: values[0], unknown: values[0],
            values.enumerated().map { (name($1), Int64($0), $1) })
    }
}
