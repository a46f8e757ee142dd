import Wire

// Rules about what lkpush writes to: receivers and the database.

extension HealthRules {
    static func destinations(_ document: StatusDocument) -> [Problem] {
        document.destinations.compactMap { destination in
            let hasAnswered = destination.state != .accepting && destination.state != .unanswered
            let status = hasAnswered ? destination.lastAnswer?.status ?? 0 : 0
            func problem(_ name: StaticString, _ severity: Severity, _ what: String, alert: StaticString) -> Problem {
                Problem(
                    name, severity, destination.name,
                    what: HealthText.sentence(
                        "\(what)\(destination.cause.isEmpty ? "" : ": \(destination.cause)")"
                            + (status > 0 ? " (status \(status))" : "")),
                    cost: cost(destination, document.now), action: action(destination), alert: alert)
            }
            switch destination.state {
            case .unknown, .starting: return nil
            case .accepting where destination.cause.isEmpty: return nil
            case .accepting:
                return problem(
                    "receiver_doubtful", .warning, "The receiver takes samples, but they may be lost",
                    alert: "LkpushSamplesLost")
            case .held:
                return problem(
                    "receiver_credentials_refused", .critical, "The receiver refuses the credentials",
                    alert: "LkpushCredentialsRefused")
            case .refusing:
                let isAddress = [300..<400, 404..<406].contains { $0.contains(status) }
                return problem(
                    "receiver_refuses", .critical, "Samples are lost",
                    alert: isAddress ? "LkpushReceiverAddressWrong" : "LkpushSamplesLost")
            case .unanswered:
                return problem(
                    "receiver_does_not_answer", .warning, "The receiver does not answer",
                    alert: "LkpushReceiverDoesNotAnswer")
            case .retrying where status == 429:
                return problem(
                    "receiver_throttles", .warning, "The receiver takes no more", alert: "LkpushReceiverThrottles")
            case .retrying where status > 0:
                return problem("receiver_fails", .warning, "The receiver fails", alert: "LkpushReceiverFails")
            case .retrying:
                return problem(
                    "receiver_does_not_answer", .warning, "Samples cannot be sent",
                    alert: "LkpushReceiverDoesNotAnswer")
            }
        }
    }

    /// What to do about a receiver, with the variables to look at where the advice does not name them.
    private static func action(_ destination: DestinationStatus) -> String {
        let advice = HealthText.sentence(destination.action)
        let isNamed = destination.setting.split(separator: ", ").contains { advice.contains($0) }
        return isNamed || destination.setting.isEmpty ? advice : "\(advice) See \(destination.setting)."
    }

    /// What a receiver's trouble costs.
    private static func cost(_ destination: DestinationStatus, _ now: Timestamp) -> String {
        if destination.state == .refusing {
            return "The samples are lost: \(HealthText.count(destination.rejected)) so far."
        }
        if destination.state == .accepting { return "Dashboards and bills may have a gap." }
        if destination.lastLoss.map({ now.since($0) < Limits.lost }) == true {
            return
                "\(HealthText.count(destination.pending)) samples wait, and others are lost: there is no room for all."
        }
        let waiting = "\(HealthText.count(destination.pending)) samples wait, none is lost yet"
        if let spool = destination.spool, !spool.isReserveReached, spool.error.isEmpty, let lasts = spool.lasts,
            lasts >= 1
        {
            return
                "\(waiting). The disk keeps what comes for about \(HealthText.span(lasts)), then the oldest are lost."
        }
        return "\(waiting). They are in memory: when it is full, the oldest are lost."
    }

    static func spools(_ document: StatusDocument) -> [Problem] {
        document.destinations.compactMap { destination in
            guard let spool = destination.spool, !spool.error.isEmpty else { return nil }
            return Problem(
                "spool_not_writable", .warning, destination.name,
                what: "The spool of \(destination.name) cannot be used: \(spool.error).",
                cost: "Samples that wait for the receiver are in memory only: a crash, or a longer outage, loses them.",
                action: "See whether the disk of STATE_DIR has room and can be written.",
                alert: "LkpushStateDiskNearlyFull")
        }
    }

    static func samplesLost(_ document: StatusDocument) -> [Problem] {
        document.destinations.compactMap { destination in
            // A receiver that refuses says it already.
            guard destination.state != .refusing, let at = destination.lastLoss,
                document.now.since(at) < Limits.lost
            else { return nil }
            return Problem(
                "samples_lost", .critical, destination.name,
                what: """
                    Samples were lost in the last minutes: \(HealthText.count(destination.rejected)) were refused and \
                    \(HealthText.count(destination.dropped)) given up since the start.
                    """,
                cost: "Dashboards and bills have a gap. Counters go on, so increases over a longer time are right.",
                action: destination.action.isEmpty
                    ? "Read the log for \"samples are lost\": it has the receiver's answer."
                    : action(destination), alert: "LkpushSamplesLost")
        }
    }

    static func backlog(_ document: StatusDocument) -> [Problem] {
        document.destinations.compactMap { destination in
            guard destination.state == .accepting, destination.oldestPending > Limits.backlog else { return nil }
            return Problem(
                "backlog", .warning, destination.name,
                what: "Samples have waited for \(HealthText.span(destination.oldestPending)).",
                cost: "Dashboards are late. \(HealthText.count(destination.pending)) samples wait.",
                action: """
                    After an outage wait: the oldest are sent first. Else see whether the receiver or the network is slow, \
                    and raise REMOTE_WRITE_MAX_SHARDS.
                    """, alert: "LkpushBacklogGrowing")
        }
    }

    static func database(_ document: StatusDocument) -> [Problem] {
        let database = document.database
        guard !database.failing.isEmpty || !database.error.isEmpty else { return [] }
        let isAway = !database.isUp
        let operations = database.failing.joined(separator: ", ")
        return [
            Problem(
                isAway ? "database_away" : "database_fails", .warning, isAway ? "" : operations,
                what: isAway
                    ? HealthText.sentence("The database does not work: \(HealthText.line(database.error))")
                    : HealthText.sentence(
                        "The database fails an operation (\(operations)): \(HealthText.line(database.error))"),
                cost: """
                    \(HealthText.count(database.rowsWaiting)) rows wait, none is lost. Rooms whose organization is not known yet \
                    count under unknown meanwhile.
                    """,
                action: HealthText.sentence(database.action),
                alert: isAway ? "LkpushDatabaseAway" : "LkpushDatabaseErrors")
        ]
    }

    static func rowsLost(_ document: StatusDocument) -> [Problem] {
        guard let at = document.database.lastRowLost, document.now.since(at) < Limits.hour else { return [] }
        return [
            Problem(
                "rows_lost", .critical,
                what: "Rows for the database were given up: \(HealthText.count(document.database.rowsLost)) in all.",
                cost: "They are missing in the tables, and so in bills.",
                action: "Mend the database. Raise JOURNAL_MAX_BYTES, which bounds what may wait.",
                alert: "LkpushRowsLost")
        ]
    }

    static func deadLetters(_ document: StatusDocument) -> [Problem] {
        let rows = document.database.lastDeadLetters.filter { $0.table != DeadLetterStatus.event }
        guard let last = rows.first, document.now.since(last.at) < Limits.hour else { return [] }
        return [
            Problem(
                "dead_letters", .warning, last.table,
                what: HealthText.sentence(
                    "The database refused rows for \(last.table): \(HealthText.line(last.reason))"),
                cost: """
                    They are missing in the table. The journal keeps them: \
                    \(HealthText.count(document.database.deadLetters)) in all.
                    """,
                action: """
                    See the constraint or the type that refuses them, and mend it. Then write the rows by hand: the section \
                    Opening journal.db of Debugging says how to read them.
                    """, alert: "LkpushDeadLetters")
        ]
    }

    static func eventsSetAside(_ document: StatusDocument) -> [Problem] {
        let events = document.database.lastDeadLetters.filter { $0.table == DeadLetterStatus.event }
        guard let last = events.first, document.now.since(last.at) < Limits.hour else { return [] }
        return [
            Problem(
                "events_set_aside", .warning,
                what: HealthText.sentence("lkpush died of an event: \(HealthText.line(last.reason))"),
                cost: "It is not counted. The journal keeps it as a dead letter. Everything after it is counted.",
                action: """
                    Keep the log of the processes that died, and report it with the event: the section Opening journal.db of \
                    Debugging says how to read it.
                    """, alert: "LkpushEventsSetAside")
        ]
    }
}
