import Status
import Wire

/// Documents of a lkpush in trouble, by the name of the trouble. Each has one trouble.
enum TroubledDocuments {
    static let now = Timestamp(seconds: 1_764_000_000)

    /// A lkpush that works.
    static var healthy: StatusDocument {
        var document = StatusDocument()
        document.now = now
        document.health.isReady = true
        document.intake.queueCapacity = 1_000
        document.intake.lastEvent = now
        var journal = JournalStatus()
        journal.isUp = true
        journal.durability = "commit"
        journal.directory = "/state"
        (journal.diskFree_bytes, journal.diskSize_bytes) = (90 << 30, 100 << 30)
        document.journal = journal
        document.recorder.participants = 12
        document.database.isUp = true
        document.database.engine = "postgresql"
        document.destinations = [destination(.accepting)]
        return document
    }

    static var all: [String: StatusDocument] {
        [
            "starting": made {
                $0.journal = nil
                ($0.health.isReady, $0.health.obstacles) = (false, ["starting"])
            },
            "locked": made {
                $0.journal = nil
                ($0.health.isReady, $0.health.obstacles) = (false, ["STATE_DIR/lock is held by process 7"])
            },
            "journal": made {
                $0.journal?.isUp = false
                $0.journal?.error = "no space left"
                $0.health.isReady = false
                $0.health.obstacles = ["the journal cannot be written: no space left"]
            },
            "snapshot": made { $0.journal?.snapshotError = "no space left" },
            "disk": made { $0.journal?.diskFree_bytes = 100 << 20 },
            "reserve": made {
                $0.destinations[0].spool = SpoolStatus()
                $0.destinations[0].spool?.isReserveReached = true
            },
            "secret": made { $0.intake.rejections = [rejection("bad_signature", ago: 10)] },
            "path": made { $0.intake.rejections = [rejection("wrong_path", ago: 10)] },
            "full": made { $0.intake.rejections = [rejection("queue_full", ago: 10)] },
            "queue": made { $0.intake.queue = 900 },
            "lag": made { $0.intake.lag = 30 },
            "silence": made { $0.intake.lastEvent = now - .seconds(1_000) },
            "held": made { $0.destinations = [destination(.held, 401)] },
            "refusing": made { $0.destinations = [destination(.refusing, 404)] },
            "invalid": made { $0.destinations = [destination(.refusing, 400)] },
            "throttled": made { $0.destinations = [destination(.retrying, 429)] },
            "failing": made { $0.destinations = [destination(.retrying, 500)] },
            "unreachable": made { $0.destinations = [destination(.retrying, 0)] },
            "hanging": made { $0.destinations = [destination(.unanswered, 200)] },
            "doubtful": made {
                $0.destinations = [destination(.accepting)]
                ($0.destinations[0].cause, $0.destinations[0].action) = ("a page answers there", "Correct the address.")
            },
            "spool": made {
                $0.destinations[0].spool = SpoolStatus()
                $0.destinations[0].spool?.error = "permission denied"
            },
            "lost": made { $0.destinations[0].lastLoss = now - .seconds(60) },
            "backlog": made { $0.destinations[0].oldestPending = 400 },
            "database": made {
                $0.database.isUp = false
                ($0.database.error, $0.database.failing) = ("connection refused", ["open"])
                $0.database.action = "See whether it runs"
            },
            "operation": made {
                ($0.database.error, $0.database.failing) = ("permission denied", ["write"])
                $0.database.action = "Grant the right"
            },
            "rows": made { $0.database.lastRowLost = now - .seconds(60) },
            "letters": made {
                var letter = DeadLetterStatus()
                (letter.at, letter.table, letter.reason) = (now - .seconds(60), "room_presence", "check violated")
                $0.database.lastDeadLetters = [letter]
            },
            "event": made {
                var letter = DeadLetterStatus()
                (letter.at, letter.table, letter.reason) = (
                    now - .seconds(60), DeadLetterStatus.event, "3 processes died"
                )
                $0.database.lastDeadLetters = [letter]
            },
            "rooms": made {
                $0.recorder.unknownRooms = [room("a", "room_not_found"), room("b", "room_not_found")]
            },
            "usage": made {
                $0.usage = UsageStatus()
                $0.usage?.isTableWithheld = true
                $0.usage?.rowsWaiting = 1_234
            },
            "usageLost": made {
                $0.usage = UsageStatus()
                $0.usage?.rowsLost = 3
                $0.usage?.lastRowLost = now - .seconds(60)
            },
            "clock": made {
                var clock = ClockStatus()
                (clock.peer, clock.ahead) = ("livekit", -90)
                $0.program.clocks = [clock]
            },
            "polls": made {
                $0.reconciliation = polls()
                $0.reconciliation?.failures = 3
                $0.reconciliation?.cause = "connection refused"
                $0.reconciliation?.action = "see whether LiveKit runs"
                $0.reconciliation?.setting = "LIVEKIT_URL"
            },
            "missing": made {
                $0.reconciliation = polls()
                $0.reconciliation?.entities[0].missing = 3
                $0.reconciliation?.entities[1].extra = 1_200
                $0.reconciliation?.differsSince = now - .seconds(700)
            },
            "noLeader": made {
                $0.replicas = standby
                $0.replicas?.holder = ""
                $0.replicas?.since = nil
            },
            "bar": made {
                $0.replicas = standby
                $0.replicas?.reason = "its settings differ from those of the log"
            },
            "lease": made {
                $0.replicas = standby
                $0.replicas?.error = "connection refused"
                $0.replicas?.contactAge = 75
            },
            "spilled": made {
                $0.replicas = standby
                $0.replicas?.isLogUp = false
                $0.replicas?.logError = "connection refused"
                $0.replicas?.spilledEvents = 1_234
                $0.replicas?.spilled_bytes = 3 << 20
                $0.replicas?.error = "connection refused"
            },
            "forwarding": made {
                $0.replicas = standby
                $0.replicas?.spilledEvents = 1
            },
            "logAway": made {
                $0.replicas = standby
                $0.replicas?.isLogUp = false
                $0.replicas?.logError = "connection refused"
            },
            "noSpill": made {
                $0.replicas = standby
                $0.replicas?.isLogUp = false
                $0.replicas?.logError = "connection refused"
                $0.health.isReady = false
                $0.health.obstacles = ["the shared log cannot be reached: connection refused"]
            },
            "spill": made {
                $0.replicas = standby
                $0.replicas?.spillError = "permission denied"
            },
            "nothingTakes": made {
                $0.replicas = standby
                $0.replicas?.isLogUp = false
                $0.replicas?.spillError = "permission denied"
            },
            "spillLost": made {
                $0.replicas = standby
                $0.replicas?.spillLost = 17
                $0.replicas?.lastSpillLoss = now - .seconds(60)
            },
            "held readings": made {
                $0.replicas = standby
                $0.replicas?.isLeader = true
                $0.replicas?.holder = "pod-0"
                $0.journal?.isUp = false
                $0.journal?.error = "connection refused"
                $0.replicas?.error = "connection refused"
            },
            "series": made { $0.program.lastSeriesRefused = now - .seconds(60) },
        ]
    }

    private static func made(_ change: (inout StatusDocument) -> Void) -> StatusDocument {
        var document = healthy
        change(&document)
        return document
    }

    /// A replica that stands by and works.
    static var standby: ReplicaStatus {
        var replica = ReplicaStatus()
        (replica.name, replica.holder) = ("pod-0", "pod-1")
        (replica.epoch, replica.since) = (5, now - .seconds(3_600))
        (replica.lastEvent, replica.applied, replica.contactAge) = (1_000, 1_000, 0.4)
        replica.isLogUp = true
        return replica
    }

    /// Polls of LiveKit's API that agree with lkpush.
    static func polls() -> ReconciliationStatus {
        var polls = ReconciliationStatus()
        polls.url = "https://livekit.example.com"
        polls.interval_seconds = 60
        polls.lastSuccess = now - .seconds(20)
        polls.entities = ["room", "participant"].map { name in
            var entity = ReconciledEntityStatus()
            entity.entity = name
            return entity
        }
        return polls
    }

    private static func destination(_ state: DestinationState, _ status: Int = 200) -> DestinationStatus {
        var destination = DestinationStatus()
        destination.name = "default"
        destination.state = state
        destination.pending = 1_234
        var answer = AnswerStatus()
        (answer.at, answer.status) = (now, status)
        answer.text = status == 0 ? "connection refused" : ""
        destination.lastAnswer = answer
        if state != .accepting { (destination.cause, destination.action) = ("the cause", "Do this.") }
        return destination
    }

    private static func rejection(_ reason: String, ago seconds: Int64) -> RejectionStatus {
        var rejection = RejectionStatus()
        rejection.reason = reason
        rejection.total = 3
        rejection.last = now - .seconds(seconds)
        (rejection.what, rejection.action) = ("a webhook was refused", "compare LIVEKIT_API_SECRET")
        return rejection
    }

    private static func room(_ name: String, _ reason: String) -> UnknownRoomStatus {
        var room = UnknownRoomStatus()
        (room.room, room.reason, room.at) = (name, reason, now - .seconds(30))
        (room.what, room.action) = ("a room has no organization", "add it to the table rooms")
        return room
    }
}
