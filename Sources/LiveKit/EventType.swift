/// The events that lkpush knows by name; the raw value is LiveKit's name and the label value of `event`.
///
/// To add one: a case here, a case in `Event.Body`, and the recorder's switch stops the build until it is handled.
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
    /// Every event that lkpush does not know: answered 200 and counted.
    case other
}
