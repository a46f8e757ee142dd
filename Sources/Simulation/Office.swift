import LiveKit
package import Wire

/// A simulated office: organizations, rooms and people whose actions come out as LiveKit's webhooks, in order of time.
///
/// It is pure: the same size and seed give the same webhooks, to the byte. It works lazily, so its memory is that of
/// the entities that are alive, whatever its length. Its clock starts at `epoch`; `TimeShift` moves a body to another
/// time.
package struct Office: Sendable {
    /// The start of the office's own clock: 2026-09-21T14:13:20Z, a whole second.
    package static let epoch = Timestamp(seconds: 1_790_000_000)

    package let size: OfficeSize
    /// The public ids of the organizations.
    package let organizations: [String]

    var random: RandomSource
    var schedule = EventSchedule<Happening>()
    var rooms: [OfficeRoom] = []
    var people: [Person] = []
    var attendees: [String: Attendee] = [:]
    var jobs: [String: RecordingJob] = [:]
    var streams: [String: IngressJob] = [:]
    var agentJobs: [String: AgentWork] = [:]
    /// Decides about all guests, so that the day of the others is the same with them.
    var guestRandom: RandomSource
    private var ready: [Occurrence] = []
    private var taken = 0
    /// Milliseconds since `epoch`.
    private(set) var now: Int64 = 0
    private var isClosed = false

    /// A planned action of the office.
    enum Happening: Sendable {
        case arrive(person: Int, again: Bool)
        case visit(organization: Int, Participant.Kind)
        case leave(attendee: String)
        case giveUp(room: Int, sid: String, identity: String, joinedAt: Timestamp)
        case publish(attendee: String, Track.Source)
        case toggle(attendee: String, Track.Source)
        case checkIdle(room: Int, mark: Int)
        case record(organization: Int)
        case activate(job: String)
        case stop(job: String, Egress.Status)
        case retry(job: RecordingJob)
        case stream(organization: Int)
        case endStream(id: String)
        case dispatch(organization: Int)
        case startJob(id: String)
        case endJob(id: String, AgentJob.Status, reason: String)
        case call(organization: Int, CallDirection)
        case hangUp(attendee: String, DisconnectReason)
        case crash(organization: Int)
        case reopen(room: Int)
        case close
    }

    /// - Parameter day: the number of the day, from 1. Organizations, rooms and people are the same on every day; no id
    ///   of an event, a room's session, a participant or a job comes twice.
    package init(size: OfficeSize, seed: UInt64, day: Int = 1) {
        precondition(day > 0, "days are counted from 1")
        self.size = size
        var random = RandomSource(seed: seed)
        organizations = (0..<size.organizations).map { _ in random.organizationID() }
        self.random = random
        guestRandom = RandomSource(seed: seed &+ UInt64(day) &* 0x9E37_79B9_7F4A_7C15)
        furnish()
        var days = self.random
        for _ in 1..<day { self.random = RandomSource(seed: days.next()) }
        planDay()
    }

    /// The length of the day in milliseconds.
    var length: Int64 { size.length.milliseconds }

    /// Returns a time of the office as a timestamp.
    func time(_ milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: Self.epoch.milliseconds + milliseconds)
    }

    /// Returns the next webhook; nil when the day is over. It passes over what no webhook tells.
    package mutating func next() -> SimulatedWebhook? {
        while let occurrence = nextOccurrence() {
            if case .webhook(let webhook) = occurrence { return webhook }
        }
        return nil
    }

    /// Returns the next webhook or crash; nil when the day is over.
    package mutating func nextOccurrence() -> Occurrence? {
        while taken == ready.count {
            ready.removeAll(keepingCapacity: true)
            taken = 0
            guard !isClosed, let (at, happening) = schedule.next() else { return nil }
            now = at
            perform(happening)
        }
        defer { taken += 1 }
        return ready[taken]
    }

    private mutating func perform(_ happening: Happening) {
        switch happening {
        case .arrive(let person, let again): arrive(person, again: again)
        case .visit(let organization, let kind): visit(organization, kind)
        case .leave(let sid): leave(sid, because: departureReason(of: sid))
        case .giveUp(let room, let sid, let identity, let joinedAt):
            giveUp(room, sid: sid, identity: identity, joinedAt: joinedAt)
        case .publish(let sid, let source): publish(sid, source)
        case .toggle(let sid, let source): toggle(sid, source)
        case .checkIdle(let room, let mark): checkIdle(room, mark)
        case .record(let organization): record(organization)
        case .activate(let job): activate(job)
        case .stop(let job, let status): stop(job, status)
        case .retry(let job): retry(job)
        case .stream(let organization): startStream(organization)
        case .endStream(let id): endStream(id)
        case .dispatch(let organization): dispatch(organization)
        case .startJob(let id): startJob(id)
        case .endJob(let id, let status, let reason): endJob(id, status, reason: reason)
        case .call(let organization, let direction): call(organization, direction)
        case .hangUp(let sid, let reason): leave(sid, because: reason)
        case .crash(let organization): crash(organization)
        case .reopen(let room): reopen(room)
        case .close: close()
        }
    }

    mutating func plan(after delay: Int64, _ happening: Happening) {
        schedule.plan(at: now + max(0, delay), happening)
    }

    // MARK: Speaking

    /// The probabilities of disturbances in the delivery.
    private enum Chance {
        static let duplicate = 0.01
        static let restatement = 0.005
        static let late = 0.01
    }

    /// Queues a webhook about a room, and now and then a second one that repeats it.
    ///
    /// `mayBeLate` means that nothing later depends on it, so later webhooks may overtake it. `restated` is the
    /// probability that the fact is told again under a new id.
    mutating func say(
        _ event: EventType, in room: Int, key: String? = nil, detail: RoomMessage.Detail,
        _ subject: WebhookMessage.Subject, facts: [Fact], mayBeLate: Bool = false, restated: Double = 0,
        id: String? = nil
    ) {
        let place = rooms[room]
        let message = WebhookMessage(
            event: event, id: id ?? random.id("EV_"), createdAt: time(now),
            room: RoomMessage(sid: place.sid, name: place.name, detail: detail), subject: subject)
        if mayBeLate && random.happens(Chance.late) {
            // It goes through another node, which has a queue of its own.
            let delay = Duration.milliseconds(random.whole(200...8_000))
            append(message, place, key: message.id, delay: delay, .first, facts)
            return
        }
        let key = key ?? place.name
        append(message, place, key: key, delay: .zero, .first, facts)
        if random.happens(Chance.duplicate) { append(message, place, key: key, delay: .zero, .duplicate, []) }
        if random.happens(restated) {
            let again = WebhookMessage(
                event: event, id: random.id("EV_"), createdAt: message.createdAt, room: message.room, subject: subject)
            append(again, place, key: key, delay: .zero, .restatement, [])
        }
    }

    private mutating func append(
        _ message: WebhookMessage, _ place: OfficeRoom, key: String, delay: Duration,
        _ novelty: SimulatedWebhook.Novelty,
        _ facts: [Fact]
    ) {
        ready.append(
            .webhook(
                SimulatedWebhook(
                    at: message.createdAt, key: key, delay: delay, novelty: novelty,
                    organization: organizations[place.organization], message: message, facts: facts)))
    }

    /// Queues a crash, which no webhook tells.
    mutating func note(_ crash: Occurrence.Crash) { ready.append(.crash(crash)) }

    /// The probability that a fact about people or tracks is told twice.
    static var restatement: Double { Chance.restatement }

    // MARK: The end

    private mutating func close() {
        isClosed = true
        guard size.ending == .clean else { return }
        for room in rooms.indices where rooms[room].isOpen { closeRoom(room, because: .room_deleted) }
        for id in jobs.keys.sorted() { stop(id, .complete) }
        for id in streams.keys.sorted() { endStream(id) }
        for id in agentJobs.keys.sorted() { endJob(id, .cancelled, reason: "") }
    }
}
