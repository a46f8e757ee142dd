import LiveKit
import Simulation
import Testing
import Wire

@Suite struct TruthTests {
    private static func truth(of webhooks: [SimulatedWebhook]) -> Truth {
        var truth = Truth()
        for webhook in webhooks { truth.count(webhook, shift: TimeShift(seconds: 0)) }
        return truth
    }

    @Test(arguments: UInt64(1)...10)
    func `after a clean end nothing is open and everything that began ended`(seed: UInt64) {
        let truth = Self.truth(of: OfficeTests.afternoon(seed: seed))
        #expect(truth.accounts.count == 3)
        for account in truth.accounts.values {
            #expect(account.openRooms.isEmpty)
            #expect(account.present.isEmpty)
            #expect(account.openTracks.isEmpty)
            #expect(account.openRecordings.isEmpty)
            #expect(account.openStreams.isEmpty)
            #expect(account.roomsStarted == account.roomsFinished)
            #expect(account.roomsStarted == account.roomDurations.count)
            #expect(account.sessions > 0)
            // Who vanished with a server never left.
            #expect(account.sessions >= account.lifetimes.count)
        }
        let restarts = truth.accounts.values.reduce(0) { $0 + $1.sessions - $1.lifetimes.count }
        #expect(restarts > 0)
    }

    @Test func `an open end leaves people in rooms`() {
        let truth = Self.truth(of: OfficeTests.afternoon(ending: .open))
        #expect(truth.accounts.values.contains { !$0.openRooms.isEmpty && !$0.present.isEmpty })
    }

    @Test func `sessions of the table are those of the histogram`() {
        let truth = Self.truth(of: OfficeTests.afternoon())
        for (organization, account) in truth.accounts {
            let rows = truth.visits.filter { $0.key.organization == organization }.values
            #expect(rows.reduce(0) { $0 + $1.sessions } == account.lifetimes.count)
            let seconds = rows.reduce(0) { $0 + $1.duration_seconds }
            #expect(abs(seconds - account.lifetimes.sum) < 0.001)
            let recordings = truth.recordings.filter { $0.organization == organization }
            #expect(recordings.count == account.recordingsEnded.values.reduce(0, +))
        }
    }

    @Test func `every webhook is counted once, as an event or as a duplicate`() {
        let webhooks = OfficeTests.afternoon()
        let truth = Self.truth(of: webhooks)
        #expect(truth.events.values.reduce(0, +) + truth.duplicates.values.reduce(0, +) == webhooks.count)
        #expect(truth.duplicates.values.reduce(0, +) == webhooks.count { $0.novelty == .duplicate })
    }

    @Test func `the order between keys does not matter`() {
        let webhooks = OfficeTests.afternoon()
        // Track events through another node: published may come after unpublished.
        let tracks = webhooks.filter { $0.event == .trackPublished }
        let others = webhooks.filter { $0.event != .trackPublished }
        let samples = { (truth: Truth) in truth.samples(project: "p", region: "r") }
        #expect(samples(Self.truth(of: webhooks)) == samples(Self.truth(of: others + tracks)))
    }

    @Test func `a day belongs to where the shift puts it`() {
        var truth = Truth()
        for webhook in OfficeTests.afternoon() { truth.count(webhook, shift: TimeShift(seconds: 86_400 * 10)) }
        let days = Set(truth.visits.keys.map(\.day))
        #expect(days.allSatisfy { $0 > CivilDate(Office.epoch + .seconds(9 * 86_400)) })
    }

    @Test func `samples are written as the exposition writes them`() {
        let truth = Self.truth(of: OfficeTests.afternoon())
        let samples = truth.samples(project: "default", region: "local")
        guard let organization = truth.accounts.keys.min(), let account = truth.accounts[organization] else {
            Issue.record("no organization")
            return
        }
        let labels = "org_id=\"\(organization)\",project=\"default\",region=\"local\""
        #expect(samples["lk_rooms_started_total{\(labels)}"] == Double(account.roomsStarted))
        let bucket = "lk_room_duration_seconds_bucket{le=\"+Inf\",\(labels)}"
        #expect(samples[bucket] == Double(account.roomDurations.count))
        #expect(samples["lk_webhook_events_total{event=\"room_started\"}"] == Double(truth.events[.roomStarted] ?? 0))
    }
}
