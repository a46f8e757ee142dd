import Journal
import JournalPostgres
import Platform
import Postgres
import Storage
import Wire

/// The part of `lkpush check` about the journal that replicas share.
extension Check {
    /// Looks whether the shared journal can be used, whether its commits wait for a standby, and who leads.
    static func journal(_ settings: Settings, _ report: inout CheckReport) {
        guard let shared = settings.sharedJournal else { return }
        do {
            let url = try PostgresURL(shared.url.read().exposed)
            let facts = try PostgresLog(url: url, name: shared.name).facts()
            examine(facts, url, shared, &report)
        } catch {
            let text = plain("\(error)")
            report.tell(.fault, "journal", "\(text). \(advice(text))")
        }
    }

    private static func advice(_ text: String) -> String {
        // The words are those of libpq in English. In other languages the general advice is given.
        if text.contains("session is read-only") || text.contains("in recovery") || text.contains("hot standby") {
            return "JOURNAL_URL leads to a standby, which takes no webhooks. Name the primary, best all hosts with "
                + "target_session_attrs=read-write. Replicas keep webhooks in STATE_DIR meanwhile"
        }
        return
            "Check host, port, user and database in JOURNAL_URL, and that PostgreSQL runs there. Replicas keep webhooks in "
            + "STATE_DIR meanwhile"
    }

    private static func examine(
        _ facts: LogFacts, _ url: PostgresURL, _ shared: SharedJournal, _ report: inout CheckReport
    ) {
        let version = facts.synchronous.serverVersion
        if facts.synchronous.isInRecovery {
            return report.tell(.fault, "journal", "\(url) is a standby. \(advice("in recovery"))")
        }
        guard mayUse(facts, &report) else { return }
        report.tell(
            .ok, "journal",
            "\(url) has PostgreSQL \(version / 10_000).\(version % 10_000), and the log \(shared.name) \(tables(facts))"
        )
        durability(facts.synchronous, &report)
        leader(facts.lease, shared, &report)
    }

    private static func tables(_ facts: LogFacts) -> String {
        if facts.version == LogFacts.version {
            return facts.lease == nil ? "is not there yet; the start makes it" : "can be used"
        }
        return facts.version == 0 ? "is not there yet; the start makes its tables" : "gets newer tables at the start"
    }

    // MARK: Rights

    private static func mayUse(_ facts: LogFacts, _ report: inout CheckReport) -> Bool {
        let role = ApplicationStore.quoted(facts.role)
        if let version = facts.version, version > LogFacts.version {
            report.tell(
                .fault, "journal",
                "its tables have version \(version) of a newer lkpush; this one knows \(LogFacts.version), so it can neither "
                    + "lead nor append. Run the newer one")
            return false
        }
        guard let schema = facts.schema else {
            report.tell(
                .fault, "journal rights",
                "no schema of search_path is there for the role \(facts.role), so no table of the journal is found. Make one, "
                    + "as a role that may: CREATE SCHEMA \(role) AUTHORIZATION \(role);")
            return false
        }
        if !facts.withheld.isEmpty {
            report.tell(
                .fault, "journal rights",
                "the role \(facts.role) lacks rights to tables of the journal. Run as their owner: "
                    + "GRANT SELECT, INSERT, UPDATE, DELETE ON \(facts.withheld.joined(separator: ", ")) TO \(role);")
            return false
        }
        if facts.version != LogFacts.version && !facts.mayCreate {
            report.tell(
                .fault, "journal rights",
                "the role \(facts.role) may not make the tables of the journal in the schema \(schema). Run as the owner of "
                    + "the schema: GRANT CREATE ON SCHEMA \(ApplicationStore.quoted(schema)) TO \(role); or start lkpush "
                    + "once as a role that may")
            return false
        }
        return true
    }

    // MARK: Durability

    private static func durability(_ facts: SynchronousFacts, _ report: inout CheckReport) {
        if !facts.isSynced {
            report.tell(
                .flaw, "journal durability",
                "fsync is off: webhooks that were answered 200 are lost when the machine of the database stops, and the "
                    + "database may be damaged. Set fsync = on")
        }
        if facts.standbyNames.isEmpty {
            report.tell(
                .flaw, "journal durability",
                "commits wait for no standby: if the primary is lost, webhooks answered 200 in the last moments may be lost "
                    + "with it, and all totals begin at 0. Set synchronous_standby_names, such as ANY 1 (*), unless the "
                    + "database copies each commit in another way before it answers")
        } else if facts.isSynced {
            let standbys =
                facts.synchronousStandbys == 0
                ? "; this role sees none connected: without one no commit succeeds, and a role without pg_monitor sees none"
                : " (\(facts.synchronousStandbys) connected)"
            report.tell(.ok, "journal durability", "commits wait for \(facts.standbyNames)\(standbys)")
        }
    }

    // MARK: The lease

    private static func leader(_ lease: LeaseRecord?, _ shared: SharedJournal, _ report: inout CheckReport) {
        let ttl = UnitText.text(shared.leaseTTL)
        guard let lease, lease.epoch > 0 else {
            return report.tell(
                .ok, "journal lead", "no replica has led the log yet; the first one does, for \(ttl) each time")
        }
        if let mark = LogMark(lease.fingerprint) {
            return report.tell(.fault, "journal lead", "\(lease.holder): \(mark.bar)")
        }
        let behind = max(0, lease.lastEvent - lease.applied)
        let events = "event \(lease.lastEvent) is the last one, and \(behind) are not applied"
        if lease.hasExpired {
            report.tell(
                .ok, "journal lead",
                "nobody leads the log: \(lease.holder) did last, in epoch \(lease.epoch), and "
                    + "\(lease.isReleased ? "gave the lead up in order" : "was gone without giving it up"); \(events)")
        } else {
            report.tell(
                .ok, "journal lead",
                "\(lease.holder) leads the log in epoch \(lease.epoch), and may be silent for \(ttl) (LEASE_TTL); \(events)"
            )
        }
        clock(lease, &report)
    }

    /// Only a large difference is told, because the answer was on its way for a while.
    private static func clock(_ lease: LeaseRecord, _ report: inout CheckReport) {
        let now = SystemTime().now()
        clock(
            ClockInterval(told: lease.now, roundedTo: .milliseconds(1), receivedAt: now, took: Limits.journalAnswer),
            of: "the shared journal", cost: "a replica whose clock is far from those of the others does not lead",
            "journal clock", &report)
    }
}
