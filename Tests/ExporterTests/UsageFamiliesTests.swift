import Foundation
import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing

@testable import Exporter

/// The families of usage, and the line that leaves them out of what is pushed.
@Suite struct UsageFamiliesTests {
    /// The further metrics of the specification.
    private static let usage: Set<String> = [
        "lk_connections_active", "lk_connections_total", "lk_connection_seconds_total",
        "lk_connection_billed_minutes_total", "lk_connections_ended_total", "lk_connections_aborted_total",
        "lk_rooms_ended_total", "lk_track_seconds_total", "lk_egress_seconds_total", "lk_egress_bytes_total",
        "lk_egress_retries_total", "lk_egress_results_total", "lk_egress_errors_total", "lk_ingress_seconds_total",
        "lk_agent_jobs_active", "lk_agent_jobs_pending", "lk_agent_jobs_started_total", "lk_agent_job_seconds_total",
        "lk_agent_jobs_ended_total", "lk_agent_job_wait_seconds", "lk_sip_calls_active", "lk_sip_calls_total",
        "lk_sip_call_seconds_total",
    ]

    @Test func `the line to copy leaves out the families of usage, and no other`() throws {
        let articles = Repository.root + "/Sources/lkpush/Documentation.docc/"
        var lines: Set<String> = []
        for article in ["Changes.md", "Costs.md"] {
            let text = try String(contentsOfFile: articles + article, encoding: .utf8)
            let found = text.split(separator: "\n").filter { $0.hasPrefix("METRICS_EXCLUDE=lk_connection") }
            #expect(found.count == 1, "\(article)")
            lines.formUnion(found.map(String.init))
        }
        try #require(lines.count == 1, "the articles have one line: \(lines)")
        let value = try #require(lines.first?.split(separator: "=").last)
        var reader = SettingsReader(
            IdleService.environment(TemporaryFolder()).merging(["METRICS_EXCLUDE": String(value)]) { $1 })
        let settings = Settings(&reader)
        try #require(reader.problems.isEmpty, "\(reader.problems)")
        let names = try DeclaredFamilies.names(settings, log: Log(level: .error, format: .text))
        let missing = Self.usage.subtracting(names).sorted()
        #expect(missing.isEmpty)
        let selection = FamilySelection(excluding: settings.metricsExclude)
        let (left, taken) = (names.filter { selection.includes($0) }, names.filter { !selection.includes($0) })
        let (stays, goes) = (Self.usage.intersection(left).sorted(), Set(taken).subtracting(Self.usage).sorted())
        #expect(stays.isEmpty && goes.isEmpty)
    }
}
