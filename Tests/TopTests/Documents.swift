import Status
import TestSupport
import Wire

@testable import Top

/// Documents of a lkpush in every state.
enum Documents {
    static let now = Timestamp(seconds: 1_795_000_000)

    static func ago(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_795_000_000 - seconds) }

    static var healthy: StatusDocument {
        var document = StatusDocument()
        document.now = now
        document.program.version = "0.6.0"
        document.program.instance = "lkpush-0"
        document.program.environment = "production"
        document.program.region = "eu"
        document.program.started = ago(11_520)
        document.program.cpu = 0.034
        document.program.resident_bytes = 63 << 20
        document.program.openFiles = 41
        document.program.maxFiles = 1_024
        document.program.series = 4_321
        document.program.maxSeries = 200_000
        document.program.logLevel = "info"
        document.health.state = .healthy
        document.health.isReady = true
        document.intake.eventsPerSecond = 22.4
        document.intake.events = 1_000_750
        document.intake.duplicates = 12
        document.intake.lastEvent = ago(1)
        document.intake.lag = 0.25
        document.intake.queueCapacity = 10_000
        document.intake.connections = 4
        var journal = JournalStatus()
        journal.durability = "fsync"
        journal.isUp = true
        journal.commit = 0.0012
        journal.size_bytes = 3_250_000
        journal.max_bytes = 1 << 30
        journal.snapshot = ago(40)
        journal.diskFree_bytes = 120 << 30
        journal.diskSize_bytes = 200 << 30
        journal.directory = "/var/lib/lkpush"
        document.journal = journal
        document.recorder.rooms = 40
        document.recorder.participants = 1_200
        document.recorder.tracks = 3_050
        document.recorder.egresses = 3
        document.usage = usage
        document.database.engine = "sqlite"
        document.database.url = "sqlite:///var/lib/lkpush/lkpush.db"
        document.database.isUp = true
        document.database.rowsWritten = 12_345
        document.destinations = [destination]
        document.organizations.total = 3
        document.organizations.list = [
            organization("org_b", "Bakery", 10, 200), organization("org_a", "Ärzte 診療所", 25, 900),
            organization("org_c", "", 5, 100),
        ]
        document.history.step = 5
        document.history.end = now
        document.history.plots = [
            plot("events_per_second") { Double($0 % 60) }, plot("delivery_lag_seconds") { $0 < 90 ? nil : 0.25 },
            plot("queue_events") { _ in 0 }, plot("resident_memory_bytes") { Double($0) * 350_000 },
        ]
        return document
    }

    private static var usage: UsageStatus {
        var usage = UsageStatus()
        usage.connections = [("standard", 1_200, 54_321.5), ("agent", 12, 640), ("sip", 0, 3)].map {
            var connections = ConnectionsStatus()
            (connections.kind, connections.active, connections.minutes) = $0
            return connections
        }
        usage.connection_minutes = 54_964.5
        usage.since = ago(11_520)
        usage.agentsRunning = 12
        usage.calls = 1
        return usage
    }

    private static var destination: DestinationStatus {
        var one = DestinationStatus()
        one.name = "default"
        one.url = "https://prometheus-prod-01.grafana.net/api/prom/push"
        one.state = .accepting
        one.lastSuccess = ago(4)
        one.lastAnswer = answer(200, "", 4)
        one.samplesPerSecond = 288.1
        one.accepted = 1_234_567
        var spool = SpoolStatus()
        spool.max_bytes = 1 << 30
        spool.lasts = 86_400 * 3
        one.spool = spool
        one.plots = [plot("samples_per_second") { Double($0 % 3) * 144 }]
        return one
    }

    static func answer(_ status: Int, _ text: String, _ seconds: Int64) -> AnswerStatus {
        var answer = AnswerStatus()
        answer.at = ago(seconds)
        answer.status = status
        answer.text = text
        answer.took = 0.012
        return answer
    }

    static func organization(_ id: String, _ name: String, _ rooms: Int, _ people: Int) -> OrganizationStatus {
        var one = OrganizationStatus()
        one.id = id
        one.name = name
        one.rooms = rooms
        one.participants = people
        one.tracks = people * 2
        one.egresses = 1
        return one
    }

    static func plot(_ name: String, _ value: (Int) -> Double?) -> Plot {
        var plot = Plot()
        plot.name = name
        plot.points = (0..<180).map(value)
        return plot
    }

    static func problem(
        _ name: String, _ severity: Severity, _ subject: String = "", what: String, cost: String, action: String
    ) -> Problem {
        var problem = Problem()
        problem.name = name
        problem.severity = severity
        problem.subject = subject
        problem.since = ago(312)
        problem.what = what
        problem.cost = cost
        problem.action = action
        problem.alert = "LkpushSomething"
        return problem
    }

    static var degraded: StatusDocument {
        var document = healthy
        document.health.state = .degraded
        document.health.problems = [
            problem(
                "receiver_throttles", .warning, "default",
                what: "The receiver takes no more: the limit of active series of the stack is reached (status 429).",
                cost: "8,120 samples wait, none is lost yet. The disk keeps what comes for about 3 d.",
                action: "Raise the limit of the stack, or push less: PUSH_ALLOW and PUSH_DENY choose families.")
        ]
        document.usage?.agentsPending = 3
        document.usage?.ahead_seconds = 312
        document.destinations[0].state = .retrying
        document.destinations[0].cause = "the limit of active series of the stack is reached"
        document.destinations[0].lastAnswer = answer(429, "per-user series limit of 10000 exceeded", 3)
        document.destinations[0].lastSuccess = ago(320)
        document.destinations[0].failures = 14
        document.destinations[0].backoff = 12.5
        document.destinations[0].pending = 8_120
        document.destinations[0].oldestPending = 312
        document.reconciliation = polls
        return document
    }

    /// Polls of LiveKit's API that found differences.
    static var polls: ReconciliationStatus {
        var polls = ReconciliationStatus()
        polls.url = "https://livekit.example.com"
        polls.interval_seconds = 60
        polls.lastSuccess = ago(35)
        polls.differsSince = ago(95)
        polls.doubt = "recent_missing"
        polls.entities = [("room", 3, 1, 2), ("participant", 1_200, 0, 0), ("egress", 0, 0, 1)].map {
            var entity = ReconciledEntityStatus()
            (entity.entity, entity.missing, entity.extra, entity.ghosts) = $0
            return entity
        }
        return polls
    }

    static var failing: StatusDocument {
        var document = degraded
        document.reconciliation?.failures = 3
        document.reconciliation?.cause = "LiveKit refuses the key devkey (status 401)"
        document.reconciliation?.action = "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a pair of this server."
        document.reconciliation?.doubt = ""
        document.health.state = .failing
        document.health.isReady = false
        document.health.obstacles = ["the journal cannot be written: no space left on device"]
        document.health.problems.insert(
            problem(
                "journal_cannot_be_written", .critical,
                what: "The journal cannot be written: write /var/lib/lkpush/journal.db: No space left on device.",
                cost: "Webhooks are refused with 503. LiveKit repeats each for 15 s, then it is lost.",
                action: "Free space on the disk of STATE_DIR (/var/lib/lkpush), or make it larger."), at: 0)
        document.health.problems.insert(
            problem(
                "webhooks_refused", .critical, "bad_signature",
                what: "Webhooks are signed with another secret: 17 were refused.",
                cost: "LiveKit takes 401 for delivered: these events are lost.",
                action: "Compare LIVEKIT_API_SECRET with the secret of the key devkey in LiveKit's configuration."),
            at: 1)
        document.usage?.isTableWithheld = true
        document.usage?.rowsWaiting = 40
        document.usage?.rowsLost = 2
        document.journal?.isUp = false
        document.journal?.error = "write /var/lib/lkpush/journal.db: No space left on device (errno 28)"
        document.journal?.diskFree_bytes = 0
        var rejection = RejectionStatus()
        rejection.reason = "bad_signature"
        rejection.total = 17
        rejection.last = ago(2)
        rejection.detail = "POST /webhook"
        rejection.what = "The signature is not that of the key's secret. The events are lost."
        rejection.action = "Compare LIVEKIT_API_SECRET with LiveKit's configuration."
        document.intake.rejections = [rejection]
        document.intake.rejected = 17
        document.database.isUp = false
        document.database.error = "connection refused"
        document.database.failing = ["write rows"]
        document.database.since = ago(61)
        document.database.rowsWaiting = 311
        return document
    }

    /// A replica that leads.
    static var leader: StatusDocument {
        var document = healthy
        document.replicas = replica
        document.replicas?.isLeader = true
        return document
    }

    private static var replica: ReplicaStatus {
        var replica = ReplicaStatus()
        (replica.name, replica.holder) = ("lkpush-0", "lkpush-0")
        (replica.epoch, replica.since) = (5, ago(7_200))
        (replica.lastEvent, replica.applied, replica.behind) = (1_000_750, 1_000_747, 3)
        (replica.contactAge, replica.isLogUp) = (0.42, true)
        return replica
    }

    /// A replica that stands by, and that has lost the log.
    static var standby: StatusDocument {
        var document = healthy
        document.health.state = .degraded
        document.health.problems = [
            problem(
                "events_spilled", .warning,
                what: "1,234 events wait in STATE_DIR (3.0 MiB), because the shared log cannot be reached.",
                cost: "They are not counted yet. Without a volume they are lost with the pod.",
                action: "See whether the database of JOURNAL_URL answers; lkpush check asks it.")
        ]
        (document.journal, document.usage) = (nil, nil)
        document.database = DatabaseStatus()
        document.recorder = RecorderStatus()
        document.organizations = OrganizationsStatus()
        document.replicas = replica
        document.replicas?.holder = "lkpush-2"
        document.replicas?.contactAge = 75
        document.replicas?.error = "connection to server at db-1 failed: Connection refused"
        document.replicas?.isLogUp = false
        document.replicas?.logError = "connection to server at db-1 failed: Connection refused"
        document.replicas?.logSince = ago(74)
        document.replicas?.spilledEvents = 1_234
        document.replicas?.spilled_bytes = 3 << 20
        document.replicas?.reason = "its settings differ from those of the log"
        document.replicas?.spillError = "no space left on device"
        document.replicas?.spillLost = 17
        return document
    }

    /// No replica leads.
    static var leaderless: StatusDocument {
        var document = standby
        document.replicas = replica
        document.replicas?.holder = ""
        document.replicas?.since = nil
        document.replicas?.behind = 512
        document.health.state = .failing
        document.health.problems = [
            problem(
                "no_leader", .critical, what: "No replica leads the shared log.",
                cost: "Webhooks are taken and kept in the log, and nobody counts them yet.",
                action: "Wait for some seconds after a replica has ended.")
        ]
        return document
    }

    /// Names that try to command the terminal.
    static let hostileNames = [
        "\u{1B}[2J\u{1B}[31mred", "a\u{9B}31mb", "line\nfeed\r\ttab", "\u{202E}gpj.exe", "\u{2066}isolated\u{2069}",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}", "\u{301}begins with an accent",
        "\u{0}\u{7}\u{8}\u{7F}", "\u{1B}]0;title\u{7}", "\u{E0041}\u{E0042}tags", "\u{FEFF}mark", "שלום", "مرحبا",
        "👩\u{200D}💻 ❤\u{FE0F}", "漢字漢字", String(repeating: "long ", count: 2_000), String(repeating: "漢", count: 10_000),
        "e" + String(repeating: "\u{301}", count: 10_000), "\u{2028}\u{2029}", "\u{F8FF}private", "\u{85}next",
    ]

    static var hostile: StatusDocument {
        var document = failing
        document.organizations.list = hostileNames.enumerated().map { number, name in
            organization(name, number % 2 == 0 ? "" : name, number, 1_000 - number)
        }
        document.organizations.total = document.organizations.list.count
        document.recorder.unknownRooms = hostileNames.prefix(8).map { name in
            var room = UnknownRoomStatus()
            room.room = name
            room.reason = "no_match"
            room.at = ago(7)
            room.what = "The name of the room has no organization: \(name)."
            room.action = "Change ORG_ROOM_PATTERN."
            return room
        }
        document.program.instance = hostileNames[0]
        document.destinations[0].name = hostileNames[3]
        document.destinations[0].lastAnswer = answer(500, hostileNames[2], 1)
        document.health.problems[1].what = "The path was \(hostileNames[1])."
        document.health.problems[1].subject = hostileNames[4]
        document.intake.rejections[0].detail = hostileNames[8]
        document.history.plots.append(plot(hostileNames[0]) { Double($0) })
        return document
    }

    /// A document with anything in it.
    static func generated(_ generator: inout SeededGenerator) -> StatusDocument {
        var document =
            [healthy, degraded, failing, hostile, leader, standby].randomElement(using: &generator) ?? healthy
        func number() -> Int { [0, 1, 17, 4_096, 1_000_000, .max, -1, .min].randomElement(using: &generator) ?? 0 }
        func decimal() -> Double { [0, 0.001, 3, 1e9, 1e300, -5].randomElement(using: &generator) ?? 0 }
        func text() -> String {
            let words = hostileNames + ["connection refused", "", " ", "x", "a b c d e f", "no space left on device"]
            return (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                String((words.randomElement(using: &generator) ?? "").prefix(200))
            }.joined(separator: " ")
        }
        document.intake.events = number()
        document.replicas?.holder = text()
        document.replicas?.reason = text()
        document.replicas?.logError = text()
        document.replicas?.epoch = number()
        document.replicas?.spilledEvents = number()
        document.replicas?.contactAge = decimal()
        document.reconciliation?.failures = number()
        document.reconciliation?.cause = text()
        document.reconciliation?.doubt = text()
        document.reconciliation?.entities[0].entity = text()
        document.reconciliation?.entities[0].missing = number()
        document.intake.eventsPerSecond = decimal()
        document.intake.lag = decimal()
        document.intake.queue = number()
        document.intake.lastEvent = Timestamp(milliseconds: Int64(number()) / 4)
        document.journal?.size_bytes = number()
        document.journal?.error = text()
        document.database.error = text()
        document.database.rowsWaiting = number()
        document.program.resident_bytes = number()
        document.program.instance = text()
        document.recorder.rooms = number()
        document.usage?.connections[0].kind = text()
        document.usage?.connections[0].active = number()
        document.usage?.agentsRunning = number()
        document.usage?.agentsPending = number()
        document.usage?.connection_minutes = decimal()
        document.usage?.ahead_seconds = decimal()
        document.usage?.rowsWaiting = number()
        document.destinations[0].pending = number()
        document.destinations[0].oldestPending = decimal()
        document.destinations[0].cause = text()
        document.destinations.append(document.destinations[0])
        document.destinations[1].name = text()
        document.history.step = decimal()
        document.history.plots[0].points = [nil, decimal(), nil, decimal()]
        document.health.obstacles = [text(), text()]
        document.health.problems.append(
            problem(text(), .critical, text(), what: text(), cost: text(), action: text()))
        for index in document.organizations.list.indices {
            document.organizations.list[index].participants = number()
            document.organizations.list[index].rooms = number()
        }
        return document
    }
}
