/// The events that lkpush knows by name. The raw value is LiveKit's name and the label value of `event`.
///
/// To add one, add a case here and a case in `Event.Body`. The recorder's switch does not compile until it handles the
/// new case.
package enum EventType: String, Sendable, CaseIterable {
    case roomStarted = "room_started"
    case roomFinished = "room_finished"
    case participantJoined = "participant_joined"
    case participantLeft = "participant_left"
    case participantConnectionAborted = "participant_connection_aborted"
    case trackPublished = "track_published"
    case trackUnpublished = "track_unpublished"
    case egressStarted = "egress_started"
    case egressUpdated = "egress_updated"
    case egressEnded = "egress_ended"
    case ingressStarted = "ingress_started"
    case ingressEnded = "ingress_ended"
    /// Every event that lkpush does not know. It is answered 200 and counted.
    case other
}
