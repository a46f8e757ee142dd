import Wire

/// One difference between the lists and the state, the same one in consecutive polls.
enum Difference: Hashable, Sendable {
    case absentRoom(ExactText)
    case unknownRoom(ExactText)
    /// A room with another number of participants.
    case count(ExactText)
    case absentEgress(ExactText)
    case unknownEgress(ExactText)
    case absentIngress(ExactText)
    case unknownIngress(ExactText)

    /// The id of the entity, for a fixed order.
    var id: String {
        switch self {
        case .absentRoom(let id), .unknownRoom(let id), .count(let id), .absentEgress(let id), .unknownEgress(let id),
            .absentIngress(let id), .unknownIngress(let id):
            id.text
        }
    }
}

/// The polls that have agreed on a difference.
struct Agreement: Sendable {
    /// The participants of a room, as LiveKit and the state have them.
    struct Numbers: Sendable, Equatable {
        let listed: Int
        let counted: Int
    }

    /// The consecutive polls that saw it.
    var polls = 1
    /// LiveKit has more participants than the state. Two polls that differ in this contradict each other.
    let isMore: Bool
    /// The time of the first poll that saw it, or of the last call about it.
    var waitsSince: Timestamp
    /// The numbers at which a call found nothing to correct. While they stay, it is not asked for again.
    var answered: Numbers?
    /// The consecutive calls that did not find the egress.
    var misses = 0
}
