import LiveKit
import Platform
import Wire

/// One delivery of one event of `LivesSequence`. Times are after the beginning of the sequence.
struct LivesStep: CustomStringConvertible {
    enum What: String {
        case roomStarted = "room_started"
        case roomFinished = "room_finished"
        case joined = "participant_joined"
        case left = "participant_left"
        case aborted = "participant_connection_aborted"
        case published = "track_published"
        case unpublished = "track_unpublished"

        var isOfRoom: Bool { self == .roomStarted || self == .roomFinished }
        var isOfTrack: Bool { self == .published || self == .unpublished }
    }

    var what: What
    /// 1 or 2: the participant, and its track.
    var person = 1
    /// `createdAt`.
    var created_s: Int64
    /// `joinedAtMs`; nil where absent.
    var joined_ms: Int64?
    /// `version` of the track; nil where absent.
    var version: Int64?
    /// Equal ids are one event that was delivered twice.
    var id = 0
    var received_ms: Int64 = 0

    var description: String {
        var text = "\(Self.seconds(received_ms)) s: \(what.rawValue)"
        if what.isOfTrack { text += " TR_\(person) of" }
        if !what.isOfRoom { text += " PA_\(person)" }
        text += ", created \(created_s)"
        if let joined_ms, !what.isOfRoom && !what.isOfTrack { text += ", joined \(Self.seconds(joined_ms))" }
        if let version, what.isOfTrack { text += ", version \(version)" }
        return text + ", id \(id)"
    }

    private static func seconds(_ time_ms: Int64) -> String {
        let rest = time_ms % 1_000
        if rest == 0 { return "\(time_ms / 1_000)" }
        return "\(time_ms / 1_000).\(String(String(rest + 1_000).dropFirst()))"
    }
}

/// Some events of one room with two people, one track each, in the order in which they are received.
struct LivesSequence: CustomStringConvertible {
    var steps: [LivesStep] = []
    /// Both participants have one identity.
    var isOneIdentity = false
    /// `creationTimeMs` of the room, where payloads tell it.
    var creation_ms: Int64?

    var description: String {
        let room = creation_ms.map { "a room made at \($0) ms" } ?? "a room whose creation no payload tells"
        let people = isOneIdentity ? "two participants of one identity" : "two people"
        return (["    \(room), \(people)"] + steps.map { "    \($0)" }).joined(separator: "\n")
    }

    /// The events and when they are received, in a room of its own.
    func inputs(number: Int, from beginning_s: Int64) -> [(event: Event, receivedAt: Timestamp)] {
        let base_s = RecorderFixture.opening_s + beginning_s
        return steps.map { step in
            var room = Room(sid: "RM_\(number)", name: "office \(number)")
            // As servers tell it: track events carry SID and name alone.
            if let creation_ms, !step.what.isOfTrack { room.creationTime_ms = base_s * 1_000 + creation_ms }
            let event = Event(
                id: "EV_\(number)_\(step.id)", createdAt: base_s + step.created_s, room: room,
                body: body(step, number, base_s))
            return (event, Timestamp(milliseconds: base_s * 1_000 + step.received_ms))
        }
    }

    private func body(_ step: LivesStep, _ number: Int, _ base_s: Int64) -> Event.Body {
        var participant = Participant(
            sid: "PA_\(number)_\(step.person)", identity: isOneIdentity ? "1" : "\(step.person)")
        if let joined_ms = step.joined_ms, !step.what.isOfTrack {
            participant.joinedAt_ms = base_s * 1_000 + joined_ms
        }
        let track = Track(
            sid: "TR_\(number)_\(step.person)", source: step.person == 1 ? .camera : .microphone,
            type: step.person == 1 ? .video : .audio,
            version: step.version.map { TrackVersion(unixMicro: $0, ticks: 0) })
        return switch step.what {
        case .roomStarted: .roomStarted
        case .roomFinished: .roomFinished
        case .joined: .participantJoined(participant)
        case .left: .participantLeft(participant)
        case .aborted: .participantConnectionAborted(participant)
        case .published: .trackPublished(track, by: participant)
        case .unpublished: .trackUnpublished(track, by: participant)
        }
    }
}

extension LivesSequence {
    /// Five deliveries: events of eight seconds on two nodes, each of which delivers in order, late by up to 30 s, one
    /// perhaps with a clock that is a second ahead; and events that come again.
    init(_ random: inout SplitMix) {
        func pick(_ bound: Int64) -> Int64 { Int64(random.next() % UInt64(bound)) }
        isOneIdentity = pick(3) == 0
        creation_ms = pick(3) == 0 ? nil : pick(1_000)
        let versions = pick(3)
        let skewed = pick(3)
        let again = pick(3)
        var delivered_ms: [Int64] = [0, 0]
        let happened = (0..<(5 - again)).map { _ in pick(8_000) }.sorted()
        for (index, at_ms) in happened.enumerated() {
            let node = pick(2)
            let skew_ms: Int64 = skewed == node ? 1_000 : 0
            var step = LivesStep(what: .roomStarted, created_s: (at_ms + skew_ms) / 1_000, id: index)
            step.person = pick(3) == 0 ? 2 : 1
            step.what =
                switch pick(20) {
                case 0...2: .roomStarted
                case 3...6: .roomFinished
                case 7...10: .joined
                case 11, 12: .left
                case 13: .aborted
                case 14...17: .published
                default: .unpublished
                }
            // A participant joins somewhat before it is told, and may have joined at one of two other times.
            if pick(10) > 0 {
                let joined_ms = step.what == .joined ? max(0, at_ms - pick(1_500)) : min(at_ms, pick(3) * 2_500)
                step.joined_ms = joined_ms + skew_ms
            }
            if versions == 1 || versions == 2 && pick(2) == 0 { step.version = 1 + pick(2) }
            let late_ms = pick(3) == 0 ? pick(30_000) : pick(300)
            delivered_ms[Int(node)] = max(delivered_ms[Int(node)], at_ms + late_ms)
            step.received_ms = delivered_ms[Int(node)]
            steps.append(step)
        }
        for number in 0..<again {
            guard var step = steps.randomElement(using: &random) else { continue }
            if pick(2) == 0 { step.id = 5 + Int(number) }
            step.received_ms += pick(30_000)
            steps.append(step)
        }
        steps = steps.enumerated().sorted { ($0.element.received_ms, $0.offset) < ($1.element.received_ms, $1.offset) }
            .map(\.element)
    }

    /// What sequences are enumerated of: the same SIDs at two times each.
    static let alphabet: [LivesStep] =
        core + [
            LivesStep(what: .roomStarted, created_s: 4),
            LivesStep(what: .aborted, created_s: 3, joined_ms: 1_500),
            LivesStep(what: .left, created_s: 7, joined_ms: 5_500),
            LivesStep(what: .joined, person: 2, created_s: 3, joined_ms: 2_500),
            LivesStep(what: .left, person: 2, created_s: 7, joined_ms: 2_500),
            LivesStep(what: .unpublished, created_s: 7, version: 2),
            LivesStep(what: .published, person: 2, created_s: 4),
        ]

    /// The most telling of them.
    static let core: [LivesStep] = [
        LivesStep(what: .roomStarted, created_s: 1),
        LivesStep(what: .roomStarted, created_s: 5),
        LivesStep(what: .roomFinished, created_s: 4),
        LivesStep(what: .roomFinished, created_s: 8),
        LivesStep(what: .joined, created_s: 2, joined_ms: 1_500),
        LivesStep(what: .joined, created_s: 6, joined_ms: 5_500),
        LivesStep(what: .left, created_s: 3, joined_ms: 1_500),
        LivesStep(what: .published, created_s: 2, version: 1),
        LivesStep(what: .published, created_s: 6, version: 2),
        LivesStep(what: .unpublished, created_s: 3, version: 1),
    ]

    /// Every sequence of exactly that length over an alphabet, each event received a second after the one before.
    static func enumerate(length: Int, over letters: [LivesStep], _ body: (LivesSequence) -> Void) {
        let count = (0..<length).reduce(1) { product, _ in product * letters.count }
        for code in 0..<count {
            var rest = code
            var sequence = LivesSequence()
            for index in 0..<length {
                var step = letters[rest % letters.count]
                rest /= letters.count
                step.id = index
                step.received_ms = 20_000 + Int64(index) * 1_000
                sequence.steps.append(step)
            }
            body(sequence)
        }
    }
}
