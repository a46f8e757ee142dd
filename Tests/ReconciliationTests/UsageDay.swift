import LiveKit
import Platform
import Recording
import Simulation
import Storage
import Wire

/// A day of a simulated office whose webhooks come late, twice and out of order to a recorder that is killed, is down for
/// hours, learns organizations late, and has a wrong clock. All of it is in one thread, with the office's own time.
///
/// Every webhook comes in the end. `truth` counts each when it comes, as the simulator does.
struct UsageDay {
    struct Setup {
        var size: OfficeSize
        var seed: UInt64 = 1
        /// The share of webhooks that are late, with all that follows in their queue.
        var late = 0.0
        /// The longest delay.
        var latest = Duration.seconds(600)
        /// The share of webhooks that come a second time, up to an hour later.
        var repeated = 0.0
        /// Nothing of some rooms comes in these seconds since the beginning. It comes at the end of the time.
        var silence: Range<Int64>?
        /// The process is down in these seconds since the beginning. What it misses comes afterwards.
        var downtimes: [Range<Int64>] = []
        /// The wall clock is three days ahead in these seconds since the beginning.
        var clockAhead: Range<Int64>?
        /// The number of kills, at random times.
        var kills = 0
        /// The database knows no organization for so long, in seconds since the beginning.
        var unknownUntil: Int64 = 0
        /// From this second since the beginning on, the first room of each organization belongs to another one.
        var movesAt: Int64?
        var stateMaxSilence = Duration.seconds(48 * 3_600)

        init(hours: Int64 = 14, guests: OfficeSize.Guests = .all) {
            size = OfficeSize(organizations: 2, rooms: 4, users: 16, length: .seconds(hours * 3_600), guests: guests)
            size.crashes = false
        }
    }

    enum Pace {
        static let tick = Duration.seconds(10)
        static let look = Duration.seconds(300)
        static let answer = Duration.seconds(2)
        static let ahead = Duration.seconds(3 * 86_400)
    }

    /// A reading of the usage series, with the amounts of what had ended before it.
    struct Look {
        let at: Timestamp
        /// In milliseconds.
        let shown: [UsageTruth.Use: Int64]
        let ended: [UsageTruth.Use: Int64]
    }

    private let setup: Setup
    private var office: Office
    private var random: SplitMix
    private(set) var truth = Truth()
    private(set) var life: RecorderLife
    private(set) var looks: [Look] = []
    private var deliveries = Deliveries()
    /// The time at which the last webhook of each queue comes.
    private var queues: [String: Timestamp] = [:]
    private var answers: [(at: Timestamp, room: String)] = []
    private var isDown = false
    private var isClockAhead = false
    /// What had ended at the last tick, and at the one before, which a reading has seen since.
    private var endedAtTick: [UsageTruth.Use: Int64] = [:]
    private var endedBefore: [UsageTruth.Use: Int64] = [:]

    init(_ setup: Setup) {
        self.setup = setup
        office = Office(size: setup.size, seed: setup.seed)
        random = SplitMix(seed: setup.seed)
        var settings = RecorderLife.settings
        settings.organizationSource = .database
        settings.stateMaxSilence = setup.stateMaxSilence
        life = RecorderLife(settings)
        truth.keepSpans()
    }

    private func second(_ time: Timestamp) -> Int64 { time.since(Office.epoch).milliseconds / 1_000 }

    private mutating func below(_ limit: Int64) -> Int64 { Int64(random.next() % UInt64(limit)) }

    private mutating func happens(_ share: Double) -> Bool { Double(random.next() >> 11) * 0x1p-53 < share }

    /// Lives through the day, and for so long after it that everything has come and was caught up with.
    mutating func live() throws {
        let length = setup.size.length.milliseconds / 1_000
        let end = Office.epoch + .seconds(max(length, setup.silence?.upperBound ?? 0) + 8 * 3_600)
        // Its own source of chance, so that the same day is lived with kills and without.
        var chance = SplitMix(seed: setup.seed + 1_000)
        var kills = (0..<setup.kills).map { _ in
            Office.epoch + .milliseconds(Int64(chance.next() % UInt64(length * 1_000)))
        }.sorted()
        var nextTick = Office.epoch + .seconds(1)
        var nextLook = Office.epoch + .seconds(60)
        life.apply(.report(.usageTable(isUsable: true), at: Office.epoch))
        while let occurrence = office.nextOccurrence() { plan(occurrence) }
        while true {
            let now = [deliveries.next, answers.first?.at, nextTick, nextLook].compactMap { $0 }.min() ?? end
            if now > end { break }
            try comeAndGo(now)
            setClock(now)
            if let kill = kills.first, kill <= now {
                kills.removeFirst()
                if !isDown { try life.kill() }
            } else if let webhook = deliveries.take(at: now) {
                try receive(webhook, at: now)
            } else if let answer = answers.first, answer.at <= now {
                answers.removeFirst()
                if !isDown {
                    life.apply(.answer(room: answer.room, organization(of: answer.room, now), at: now))
                }
            } else if nextTick <= now {
                if !isDown { life.apply(.time(at: now)) }
                nextTick = nextTick + Pace.tick
                (endedBefore, endedAtTick) = (endedAtTick, truth.usage.totals.mapValues(\.duration_ms))
            } else {
                if !isDown { look(at: now) }
                nextLook = nextLook + Pace.look
            }
            for room in life.takeLookups() { answers.append((now + Pace.answer, room)) }
        }
        life.apply(.stopping(at: end))
        endedBefore = truth.usage.totals.mapValues(\.duration_ms)
        look(at: end)
    }

    /// Sets the wall clock. The recorder is told, and the times of receipt go on.
    private mutating func setClock(_ now: Timestamp) {
        let isAhead = setup.clockAhead?.contains(second(now)) == true
        if isAhead != isClockAhead && !isDown {
            isClockAhead = isAhead
            life.apply(.clock(ahead_ms: isAhead ? Pace.ahead.milliseconds : 0, at: now))
        }
    }

    /// The process stops and starts: at the first downtime in good order, at the next ones by a kill.
    private mutating func comeAndGo(_ now: Timestamp) throws {
        let isDown = setup.downtimes.contains { $0.contains(second(now)) }
        defer { self.isDown = isDown }
        if isDown && !self.isDown && setup.downtimes.first?.contains(second(now)) == true {
            life.apply(.stopping(at: now))
        }
        if !isDown && self.isDown {
            try life.kill()
            life.apply(.report(.usageTable(isUsable: true), at: now))
        }
    }

    // MARK: Webhooks

    private mutating func plan(_ occurrence: Occurrence) {
        guard case .webhook(let webhook) = occurrence else { return }
        var arrival = webhook.at + webhook.delay + .milliseconds(40)
        if happens(setup.late) { arrival = arrival + .milliseconds(below(setup.latest.milliseconds)) }
        if let silence = setup.silence, silence.contains(second(webhook.at)), isSilent(webhook) {
            arrival = Office.epoch + .seconds(silence.upperBound) + .milliseconds(second(webhook.at))
        }
        if let downtime = setup.downtimes.first(where: { $0.contains(second(arrival)) }) {
            arrival = Office.epoch + .seconds(downtime.upperBound) + .milliseconds(second(webhook.at))
        }
        arrival = max(arrival, queues[webhook.key] ?? arrival)
        queues[webhook.key] = arrival
        deliveries.add(webhook, at: arrival)
        if happens(setup.repeated) {
            let again = arrival + .milliseconds(below(3_600_000))
            if !setup.downtimes.contains(where: { $0.contains(second(again)) }) {
                deliveries.add(webhook.duplicate, at: again)
            }
        }
    }

    /// Returns true for the second room of each organization. Its jobs have queues of their own, but are as silent.
    private func isSilent(_ webhook: SimulatedWebhook) -> Bool { webhook.room.hasSuffix("~planning-1") }

    private mutating func receive(_ webhook: SimulatedWebhook, at now: Timestamp) throws {
        try life.receive(webhook.message.body(shift: TimeShift(seconds: 0)), at: now)
        truth.count(webhook, shift: TimeShift(seconds: 0))
    }

    // MARK: Organizations

    private func organization(of room: String, _ now: Timestamp) -> Result<Organization, LookupError> {
        if second(now) < setup.unknownUntil { return .failure(.lookup_error) }
        var id = String(room.prefix { $0 != "~" })
        if let moves = setup.movesAt, second(now) >= moves, room.hasSuffix("~standup-1") { id = "org_other" }
        return .success(Organization(id: id, name: id, key: .text(id)))
    }

    // MARK: Looking

    private mutating func look(at now: Timestamp) {
        looks.append(Look(at: now, shown: life.usage, ended: endedBefore))
    }

    /// The rows that were written, added up as the table does.
    var table: [UsageTruth.Row: UsageTruth.Amount] {
        var table: [UsageTruth.Row: UsageTruth.Amount] = [:]
        for case .usage(let row) in life.rows {
            let use = UsageTruth.Use(organization: Self.id(of: row.owner), usage: row.usage)
            table[UsageTruth.Row(use: use, day: row.day), default: UsageTruth.Amount()] += UsageTruth.Amount(
                duration_ms: row.duration_ms, count: row.count, billed_minutes: row.billed_minutes)
        }
        return table.filter { $0.value != UsageTruth.Amount() }
    }

    private static func id(of owner: RowOwner) -> String {
        switch owner {
        case .key(.text(let id)): id
        case .key(let key): "\(key)"
        case .organization(let id, _): id
        case .room(let name): String(name.prefix { $0 != "~" })
        }
    }
}
