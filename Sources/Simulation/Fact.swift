package import LiveKit
package import Wire

/// A fact of the simulated office, which a webhook tells when it is delivered for the first time.
///
/// Durations are those that the times in the payload give, to the whole second of `createdAt`.
package enum Fact: Sendable, Equatable {
    case roomOpened(sid: String)
    case roomClosed(sid: String, lasted_seconds: Double)
    case joined(sid: String, kind: Participant.Kind)
    case left(sid: String, identity: String, kind: Participant.Kind, at: Timestamp, stayed_seconds: Double)
    case published(sid: String, source: Track.Source)
    case unpublished(sid: String)
    /// A server died: these participants and tracks are gone, and no webhook will ever say so.
    case vanished(participants: [String], tracks: [String])
    case recordingStarted(id: String, Egress.RequestType)
    case recordingEnded(Recording)
    case streamStarted(id: String, Ingress.InputType)
    case streamEnded(id: String, Ingress.InputType, hasFailed: Bool, lasted_seconds: Double)

    /// A recording job that ended.
    package struct Recording: Sendable, Equatable {
        /// The egress id, or the event's id if the job had none.
        package let id: String
        package let requestType: Egress.RequestType
        package let hasSucceeded: Bool
        /// The length of the medium, else of the job; nil if the job never began.
        package let lasted_seconds: Double?
        package let size_bytes: Int64
        package let startedAt: Timestamp?
        package let endedAt: Timestamp?
        package let roomName: String
    }
}
