import LiveKit
import Wire

/// A room in the answers of the server API.
struct ServedRoom: Sendable {
    /// A participant in a room.
    struct Member: Sendable {
        let told: Told<ParticipantMessage>
        let kind: Participant.Kind
        /// Somebody with this identity was in the room before.
        let isRejoined: Bool
        var tracks: [Told<TrackMessage>] = []

        /// LiveKit counts it in `num_participants`.
        var isCounted: Bool { kind.isCounted }
    }

    private enum Chance {
        /// The probability that a change leaves the stale count as it is.
        static let stale = 0.5
    }

    private enum Limits {
        /// The time before a room's end in which those left who stay in it as ghosts.
        static let ghosts = Duration.seconds(30)
    }

    let name: String
    let sid: String
    let organization: String
    let createdAt: Timestamp
    /// The shift of the webhook that told the start: a room must not seem to be older than the end of the room that had
    /// its name before.
    let shift: TimeShift
    /// By SID.
    private(set) var members: [String: Member] = [:]
    /// Those who vanished in a crash after which the room is not back yet, by SID.
    private(set) var vanished: [String: Member] = [:]
    /// Those who left last, with the time on the office's clock.
    private var departed: [(at: Timestamp, member: Member)] = []
    private var identities: Set<String> = []
    /// `num_participants` as it was before some change.
    private(set) var staleCount = 0

    init(_ room: RoomMessage, _ details: RoomMessage.FullRoom, shift: TimeShift) {
        (name, sid, organization, createdAt) = (room.name, room.sid, details.organization, details.createdAt)
        self.shift = shift
    }

    mutating func join(_ participant: Told<ParticipantMessage>, _ kind: Participant.Kind, lot: Lot) {
        let message = participant.message
        let isKnown = !identities.insert(message.identity).inserted
        members[message.sid] = Member(told: participant, kind: kind, isRejoined: isKnown)
        count(after: message.sid, lot)
    }

    mutating func leave(_ sid: String, at time: Timestamp, lot: Lot) {
        guard let member = members.removeValue(forKey: sid) else { return }
        departed.removeAll { time.since($0.at) > Limits.ghosts }
        departed.append((time, member))
        count(after: sid, lot)
    }

    private mutating func count(after sid: String, _ lot: Lot) {
        // Another name before and after, so that a join and a leave of one participant draw for themselves.
        guard !lot.happens(Chance.stale, "stale \(sid) \(members.count)") else { return }
        staleCount = members.values.count(where: \.isCounted)
    }

    mutating func publish(_ track: Told<TrackMessage>, by sid: String) {
        guard members[sid]?.tracks.contains(where: { $0.message.sid == track.message.sid }) == false else { return }
        members[sid]?.tracks.append(track)
    }

    mutating func unpublish(_ track: String, by sid: String) {
        members[sid]?.tracks.removeAll { $0.message.sid == track }
    }

    /// The server of the room dies.
    mutating func crash(lot: Lot) {
        vanished = members
        members = [:]
        count(after: sid, lot)
    }

    /// Another server has the room.
    mutating func reopen() { vanished = [:] }

    /// Returns the room as a ghost, with those who left last.
    func ghost(at time: Timestamp) -> ServedRoom {
        var ghost = self
        for (at, member) in departed where time.since(at) <= Limits.ghosts {
            ghost.members[member.told.message.sid] = member
        }
        ghost.staleCount = ghost.members.values.count(where: \.isCounted)
        return ghost
    }
}
