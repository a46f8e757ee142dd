import LiveKit
import Wire

/// The message `livekit.Job` of an event.
struct AgentJobMessage: Sendable {
    var id: String
    var agentName: String
    var status: AgentJob.Status
    /// The name of a reason; empty for none.
    var reason = ""
    var error = ""
    var startedAt: Timestamp?
    var endedAt: Timestamp?
    var updatedAt: Timestamp

    func write(in room: RoomMessage, to json: inout ProtoJSON, shift: TimeShift) {
        json.string("id", id)
        json.string("dispatchId", "AD_\(id.dropFirst(3))")
        json.object("room") { room.write(to: &$0, shift: shift) }
        json.string("agentName", agentName)
        json.object("state") { json in
            json.name("status", Self.name(of: status), zero: "JS_PENDING")
            json.string("error", error)
            json.long("startedAt", shift.nanoseconds(startedAt))
            json.long("endedAt", shift.nanoseconds(endedAt))
            json.long("updatedAt", shift.nanoseconds(updatedAt))
            json.string("workerId", startedAt == nil ? "" : "AW_\(id.dropFirst(3))")
            json.name("reason", reason.isEmpty ? nil : reason, zero: "JSR_UNKNOWN")
        }
    }

    private static func name(of status: AgentJob.Status) -> String? {
        switch status {
        case .pending, .other: nil
        case .running: "JS_RUNNING"
        case .success: "JS_SUCCESS"
        case .failed: "JS_FAILED"
        case .cancelled: "JS_CANCELLED"
        }
    }
}
