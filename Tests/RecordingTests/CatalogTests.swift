import LiveKit
import Metrics
import Recording
import Testing

@Suite struct CatalogTests {
    private let room = "30 54 97 175 315 567 1020 1837 3307 5953"
    private let session = "15 27 48 87 157 283 509 916 1649 2969"
    private let job = "30 60 120 300 600 1200 1800 3600 7200 14400"
    private let long = " 7200 14400 28800"

    private func registry(longBuckets: Bool) -> Registry {
        let registry = Registry(maxSeries: 1_000)
        _ = Catalog(in: registry, longBuckets: longBuckets, project: "p", region: "r")
        return registry
    }

    @Test func `the families of the contract are declared exactly so`() {
        let lines = registry(longBuckets: false).descriptors.filter { $0.name.hasPrefix("lk_") }.map(\.line)
        #expect(
            lines == [
                "lk_agent_job_seconds_total counter P agent_name",
                "lk_agent_job_wait_seconds histogram P agent_name le 0.1 0.25 0.5 1 2.5 5 10 30 60",
                "lk_agent_jobs_active gauge P agent_name idleGrid",
                "lk_agent_jobs_ended_total counter P agent_name result reason",
                "lk_agent_jobs_pending gauge P agent_name idleGrid",
                "lk_agent_jobs_started_total counter P agent_name",
                "lk_connection_billed_minutes_total counter P kind",
                "lk_connection_seconds_total counter P kind",
                "lk_connections_aborted_total counter P kind reason",
                "lk_connections_active gauge P kind idleGrid",
                "lk_connections_ended_total counter P kind reason",
                "lk_connections_total counter P kind",
                "lk_egress_active gauge P request_type everyTick",
                "lk_egress_bytes_total counter P request_type",
                "lk_egress_completed gauge P window idleGrid",
                "lk_egress_duration_seconds histogram P request_type result le \(job)",
                "lk_egress_ended_total counter P request_type result",
                "lk_egress_errors_total counter P request_type code",
                "lk_egress_results_total counter P request_type status",
                "lk_egress_retries_total counter P request_type",
                "lk_egress_seconds_total counter P request_type",
                "lk_egress_started_total counter P request_type",
                "lk_egress_total_duration_seconds gauge P window idleGrid",
                "lk_ingress_active gauge P input_type everyTick",
                "lk_ingress_duration_seconds histogram P input_type result le \(job)",
                "lk_ingress_ended_total counter P input_type result",
                "lk_ingress_seconds_total counter P input_type",
                "lk_ingress_started_total counter P input_type",
                "lk_org_info gauge org_id org_name idleGrid",
                "lk_org_lookup_failures_total counter reason",
                "lk_org_recording_limit_minutes gauge P idleGrid",
                "lk_participant_lifetime_seconds histogram P le \(session)",
                "lk_participant_sessions_total counter P",
                "lk_participant_total_online_seconds gauge P window idleGrid",
                "lk_participants_active gauge P everyTick",
                "lk_participants_connected gauge P idleGrid",
                "lk_room_active gauge P everyTick",
                "lk_room_duration_seconds histogram P le \(room)",
                "lk_rooms_ended_total counter P reason",
                "lk_rooms_finished_total counter P",
                "lk_rooms_started_total counter P",
                "lk_sip_call_seconds_total counter P direction",
                "lk_sip_calls_active gauge P direction idleGrid",
                "lk_sip_calls_total counter P direction",
                "lk_track_seconds_total counter P source type",
                "lk_tracks_active gauge P source type everyTick",
                "lk_tracks_published_total counter P source type",
                "lk_unique_participants gauge P window idleGrid",
                "lk_webhook_delivery_lag_seconds histogram event le 0.1 0.25 0.5 1 2.5 5 10 30 60 300",
                "lk_webhook_duplicates_total counter event",
                "lk_webhook_events_total counter event",
            ])
    }

    @Test func `long buckets are appended to rooms and sessions only`() {
        let lines = registry(longBuckets: true).descriptors.filter { $0.name.hasPrefix("lk_") }.map(\.line)
        let extended = lines.filter { $0.hasSuffix(long) }
        #expect(
            extended == [
                "lk_participant_lifetime_seconds histogram P le \(session)\(long)",
                "lk_room_duration_seconds histogram P le \(room)\(long)",
            ])
    }

    @Test func `every help text is a sentence`() {
        for family in registry(longBuckets: false).descriptors {
            #expect(family.help.first?.isUppercase == true && family.help.last == ".", "\(family.name)")
        }
    }

    @Test func `where the registry is full, updates are dropped and the state is right`() {
        var fixture = RecorderFixture(maxSeries: 3)
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.participantJoined(.person("PA_1")), at: 1)
        fixture.receive(.roomFinished, at: 2)
        #expect(fixture.names("lk_rooms_finished").isEmpty)
    }
}

extension FamilyDescriptor {
    /// The declaration in one line, `P` for the labels of an organization.
    fileprivate var line: String {
        var words = [name, kind.name]
        var labels = labelNames[...]
        if labels.starts(with: ["project", "region", "org_id"]) {
            words.append("P")
            labels = labels.dropFirst(3)
        }
        words += labels
        switch kind {
        case .histogram(let bounds): words.append("le " + bounds.map(Number.text).joined(separator: " "))
        case .gauge: words.append("\(cadence)")
        case .counter: break
        }
        return words.joined(separator: " ")
    }
}
