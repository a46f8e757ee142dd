import Wire

// Rules about lkpush itself: its start, its journal, its disk, its clock, its memory.

extension HealthRules {
    /// What is known of an obstacle, by the beginning of its reason.
    private struct Obstacle {
        let start: String
        let subject: String
        let severity: Severity
        let action: String
    }

    /// The beginning of the reason of a replica that can neither append nor keep events.
    static let sharedLog = "the shared log"

    private static let obstacles = [
        Obstacle(
            start: "STATE_DIR/lock", subject: "lock", severity: .critical,
            action: "Stop the process that the reason names, or give this one a STATE_DIR of its own."),
        Obstacle(
            start: "STATE_DIR", subject: "state", severity: .critical,
            action: "Let lkpush write to STATE_DIR: see its owner, its mode, and how its file system is mounted."),
        Obstacle(
            start: "the journal", subject: "journal", severity: .critical,
            action: "See the error, and whether the disk of STATE_DIR has room and can be written."),
        Obstacle(
            start: sharedLog, subject: "journal", severity: .critical,
            action: "See whether the database of JOURNAL_URL answers; lkpush check asks it."),
        Obstacle(
            start: "stopping", subject: "stopping", severity: .warning, action: "Wait: lkpush is being stopped."),
    ]

    static func notReady(_ document: StatusDocument) -> [Problem] {
        // The journal's obstacle has a rule of its own, and a start that waits for something says for what.
        let all = document.health.obstacles.filter {
            document.journal?.isUp != false || !$0.hasPrefix("the journal cannot be written")
        }
        let shown = all.count > 1 ? all.filter { $0 != "starting" } : all
        return shown.map { reason in
            let known = obstacles.first { reason.hasPrefix($0.start) }
            return Problem(
                "not_ready", known?.severity ?? .warning, known?.subject ?? "start",
                what: "Webhooks are not taken: \(reason).",
                cost: "LiveKit repeats a webhook for 15 s. What it cannot deliver then is lost.",
                action: known?.action ?? "Wait some seconds. If it lasts, read the log.")
        }
    }

    static func journal(_ document: StatusDocument) -> [Problem] {
        guard let journal = document.journal, journal.isUp == false else { return [] }
        let why = journal.error.isEmpty ? "" : ": \(journal.error)"
        if document.replicas != nil { return [unwritableLog(journal, why)] }
        let isAnswered = journal.durability == "memory"
        return [
            Problem(
                "journal_not_writable", .critical, what: "The journal cannot be written\(why).",
                cost: isAnswered
                    ? "Webhooks are taken, but a crash would lose what was counted since."
                    : "Webhooks are answered 503. LiveKit repeats each for 15 s, then it is lost.",
                action: journal.action.isEmpty
                    ? "Make room on the disk of STATE_DIR (\(journal.directory)), or mend it."
                    : HealthText.sentence(journal.action),
                alert: "LkpushJournalNotWritable")
        ]
    }

    /// A leader that cannot commit sends nothing. Webhooks are another matter.
    private static func unwritableLog(_ journal: JournalStatus, _ why: String) -> Problem {
        Problem(
            "readings_held", .critical,
            what: HealthText.sentence("The shared log cannot be written, so readings are held\(why)"),
            cost: "Shared series stand still, and no rows are written, until it can. No event is lost.",
            action: journal.action.isEmpty
                ? "See whether the database of JOURNAL_URL answers; lkpush check asks it."
                : HealthText.sentence(journal.action),
            alert: "LkpushReadingsHeld")
    }

    static func snapshot(_ document: StatusDocument) -> [Problem] {
        guard let journal = document.journal, !journal.snapshotError.isEmpty, journal.isUp != false else { return [] }
        return [
            Problem(
                "state_not_saved", .warning, what: "The state cannot be saved: \(journal.snapshotError).",
                cost: "The journal grows until it can, and the next start takes longer. Nothing is lost.",
                action: document.replicas == nil
                    ? "See whether the disk of STATE_DIR (\(journal.directory)) has room and can be written."
                    : "See whether the database of JOURNAL_URL has room and can be written.")
        ]
    }

    static func disk(_ document: StatusDocument) -> [Problem] {
        // A journal that cannot be written says more.
        guard let journal = document.journal, journal.isUp != false, let free = journal.diskFree_bytes else {
            return []
        }
        let size = journal.diskSize_bytes ?? 0
        let isReserved = document.destinations.contains { $0.spool?.isReserveReached == true }
        guard Double(free) < Limits.diskShare * Double(size) || free < Limits.disk_bytes || isReserved else {
            return []
        }
        return [
            Problem(
                "state_disk_nearly_full", .warning,
                what: "The disk of STATE_DIR has \(HealthText.size(free)) of \(HealthText.size(size)) left.",
                cost: journal.durability == "memory"
                    ? "When it is full, what is counted is lost with the process, and samples that wait are given up."
                    : "When it is full, webhooks are answered 503, and samples that wait for a receiver are given up.",
                action: """
                    See what has grown: "du -a \(journal.directory) | sort -n | tail". Make the volume larger, or lower \
                    SPOOL_MAX_BYTES or JOURNAL_MAX_BYTES.
                    """, alert: "LkpushStateDiskNearlyFull")
        ]
    }

    /// The clocks that differ too much, one problem for each direction: several peers rarely err alike.
    static func clocks(_ document: StatusDocument) -> [Problem] {
        [true, false].compactMap { isAhead in
            let wrong = document.program.clocks.filter { abs($0.ahead) > Limits.clock && ($0.ahead > 0) == isAhead }
            guard let most = wrong.map({ abs($0.ahead) }).max() else { return nil }
            let peers = wrong.map { $0.peer == "livekit" ? "LiveKit" : "the \($0.peer)" }
            let refused = document.intake.rejections.contains {
                isRefusedForTime($0) && document.now.since($0.last) < Limits.refused
            }
            return Problem(
                "clock_skew", refused ? .critical : .warning, wrong.map(\.peer).joined(separator: ", "),
                what: """
                    The clock of this machine is \(HealthText.span(most)) \(isAhead ? "ahead of" : "behind") that of \
                    \(peers.joined(separator: " and ")).
                    """,
                cost: refused
                    ? "Webhooks are refused, and their events lost. Samples are stored at a wrong time, or refused."
                    : """
                    Beyond WEBHOOK_CLOCK_LEEWAY webhooks are refused and their events lost. Samples are stored at a wrong \
                    time, or refused.
                    """,
                action: """
                    Run "timedatectl" or "chronyc tracking" on this machine, and let NTP set its time. \
                    \(wrong.count > 1 ? "Several clocks agree, so it is this one." : "Where it is right, mend the other clock.")
                    """, alert: "LkpushClockSkew")
        }
    }

    /// True for a refusal that a wrong clock explains.
    static func isRefusedForTime(_ rejection: RejectionStatus) -> Bool {
        ["expired", "not_yet_valid"].contains(rejection.reason)
    }

    static func seriesRefused(_ document: StatusDocument) -> [Problem] {
        let program = document.program
        let isFull = program.maxSeries > 0 && program.series >= program.maxSeries
        let isRecent = program.lastSeriesRefused.map { document.now.since($0) < Limits.hour } ?? false
        guard isFull || isRecent else { return [] }
        return [
            Problem(
                "series_refused", .critical,
                what: """
                    \(HealthText.count(program.seriesRefused)) series were refused: MAX_SERIES is \
                    \(HealthText.count(program.maxSeries)).
                    """,
                cost: "What these series count is missing in the metrics.",
                action: """
                    Raise MAX_SERIES (about 500 bytes of memory for each series), or set HISTOGRAM_LONG_BUCKETS=false or a \
                    shorter SERIES_TTL.
                    """, alert: "LkpushSeriesRefused")
        ]
    }
}
