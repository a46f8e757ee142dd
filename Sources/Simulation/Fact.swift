package import LiveKit
package import Wire

/// A fact of the simulated office, which a webhook tells when it is delivered for the first time.
///
/// Durations are those that the times in the payload give, to the whole second of `createdAt`.
package enum Fact: Sendable, Equatable {
    case roomOpened(sid: String)
    /// `reason` is nil if the server tells none.
    case roomClosed(sid: String, lasted_seconds: Double, reason: RoomEndReason?)
    case joined(Visitor)
    case left(Visitor, at: Timestamp, stayed_seconds: Double, reason: DisconnectReason)
    /// A participant was given up before its media were connected.
    case aborted(kind: Participant.Kind, reason: DisconnectReason)
    case published(sid: String, source: Track.Source, by: String)
    case unpublished(sid: String)
    /// A server died: these participants and tracks are gone, and no webhook will ever say so.
    case vanished(participants: [String], tracks: [String])
    case recordingStarted(id: String, Egress.RequestType)
    /// A recording that ended runs again under the same id.
    case recordingRetried(id: String, Egress.RequestType)
    case recordingEnded(Recording)
    case streamStarted(id: String, Ingress.InputType)
    case streamEnded(id: String, Ingress.InputType, hasFailed: Bool, lasted_seconds: Double)
    /// The job of an agent waits for a worker since `at`.
    case jobWaiting(id: String, agent: String, at: Timestamp)
    case jobStarted(id: String, agent: String, at: Timestamp)
    case jobEnded(Job)

    /// A participant of any kind.
    package struct Visitor: Sendable, Equatable {
        package let sid: String
        package let identity: String
        package let kind: Participant.Kind
        /// The name of an agent, as its attributes tell it.
        package var agentName = ""
        /// The direction of a call, as its attributes tell it.
        package var direction = CallDirection.unknown
    }

    /// The job of an agent that ended.
    package struct Job: Sendable, Equatable {
        package let id: String
        package let agent: String
        package let status: AgentJob.Status
        /// As `AgentJob` has it.
        package let reason: String
        /// Nil if no worker took the job.
        package let startedAt: Timestamp?
        package let endedAt: Timestamp
    }

    /// A recording job that ended.
    package struct Recording: Sendable, Equatable {
        /// The egress id, or the event's id if the job had none.
        package let id: String
        package let requestType: Egress.RequestType
        package let status: Egress.Status
        /// The number of attempts before this one.
        package let retryCount: Int
        package let errorCode: Int
        package var hasSucceeded: Bool { status == .complete || status == .limitReached }
        /// The length of the medium, else of the job; nil if the job never began.
        package let lasted_seconds: Double?
        package let size_bytes: Int64
        package let startedAt: Timestamp?
        package let endedAt: Timestamp?
        package let roomName: String
    }
}
