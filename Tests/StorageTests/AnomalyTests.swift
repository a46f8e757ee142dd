import Storage
import TestSupport
import Testing
import Wire

/// Fails the first call of the database, then the second, and so on until a whole run passes: whatever happens, each
/// row is applied once or reported.
@Suite struct AnomalyTests {
    static let rows: [StoreRow] = [
        Row.session(.organization(id: "a", name: "A"), user: 1, 1), Row.present(.organization(id: "a", name: "A"), "1"),
        Row.recording(.room(name: "room"), "EG"), Row.session(.organization(id: "a", name: "B"), user: 1, 2),
        Row.session(.room(name: "unknown"), user: 1, 4), .absent(participantSID: "1"),
        Row.session(.key(.integer(1_000_000)), user: 2, 8),
    ]

    @Test(arguments: Adapter.allCases, FailurePlan.Mode.allCases)
    func `every call may fail once`(_ adapter: Adapter, _ mode: FailurePlan.Mode) throws {
        var failsAt = 1
        while true {
            let scratch = try ScratchDatabase(adapter)
            let plan = FailurePlan(failsAt: failsAt, mode)
            let outcome = try run(scratch, plan)
            let label: Comment = "call \(failsAt) of \(plan.callCount), \(mode)"
            #expect(outcome.count == Self.rows.count && outcome.refused == 0, label)
            let (_, database) = try scratch.open()
            let sessions = try database.first(
                "SELECT COALESCE(SUM(session_count), 0), COALESCE(SUM(total_duration_seconds), 0) "
                    + "FROM participant_activity_metrics")
            #expect(sessions[0] == .integer(3), label)
            #expect(sessions[1].asDouble == 11, label)
            #expect(try database.first("SELECT COUNT(*) FROM recordings") == [.integer(1)], label)
            #expect(try database.first("SELECT COUNT(*) FROM room_presence") == [.integer(0)], label)
            #expect(outcome.written + outcome.repeated + (outcome.dropped[.room_not_found] ?? 0) == 7, label)
            if !plan.hasFailed { break }
            failsAt += 1
            try #require(failsAt < 500, "a run that never passes")
        }
        #expect(failsAt > 40, "the failures reached the writes")
    }

    /// Migrates and writes one batch, as the store thread does: again after an error, anew after a lost connection.
    private func run(_ scratch: ScratchDatabase, _ plan: FailurePlan) throws -> WriteOutcome {
        let origin = RowOrigin(journal: "j", firstSequence: 1)
        var store: ApplicationStore?
        for _ in 0..<5 {
            do throws(StoreError) {
                let current: ApplicationStore
                if let store {
                    current = store
                } else {
                    current = ApplicationStore(FailingDatabase(try scratch.connect(), plan))
                    _ = try current.migrate(at: noon)
                    try seed(scratch)
                    store = current
                }
                let outcome = try current.write(Self.rows, from: origin, at: noon)
                current.close()
                return outcome
            } catch {
                // After any other error the connection is fine: only this attempt failed.
                guard error.kind == .connectionLost else { continue }
                store?.close()
                store = nil
            }
        }
        throw StoreError.wrongReport
    }

    private func seed(_ scratch: ScratchDatabase) throws(StoreError) {
        let database = try scratch.connect()
        defer { database.close() }
        _ = try database.run(
            "INSERT INTO organizations (id, workos_org_id, name) VALUES (1000000, 'r', 'R') ON CONFLICT DO NOTHING", [])
        _ = try database.run(
            "INSERT INTO rooms (id, organization_id) VALUES ('room', 1000000) ON CONFLICT DO NOTHING", [])
    }
}
