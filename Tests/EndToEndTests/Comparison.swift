/// The differences between two sets of samples.
enum Comparison {
    /// Samples that depend on the time or on the machine, or that another comparison covers.
    private static let apart = [
        "lk_webhook_delivery_lag_seconds_sum", "lk_webhook_delivery_lag_seconds_bucket", "lk_org_info",
        "lk_org_recording_limit_minutes", "lk_unique_participants", "lk_participant_total_online_seconds",
        "lk_egress_completed", "lk_egress_total_duration_seconds", "lk_participants_connected",
    ]

    /// The samples of the specification that events change.
    static func driven(_ samples: [String: Double]) -> [String: Double] {
        samples.filter { sample in
            let name = sample.key.prefix { $0 != "{" }
            return name.hasPrefix("lk_") && !isRead(name) && !apart.contains(String(name))
        }
    }

    /// Usage is shown as of the last reading of it, and its time grows while it passes.
    static func isRead(_ name: some StringProtocol) -> Bool {
        ["_seconds_total", "_minutes_total"].contains { name.hasSuffix($0) }
    }

    /// One line for each difference. A sample that only one side has must be 0 there.
    ///
    /// - Parameter repeats: attempts, by event, that were answered 503 or not at all, and were repeated. Each is a
    ///   duplicate if the first attempt was committed after all.
    static func differences(
        expected: [String: Double], found: [String: Double], repeats: [String: Int] = [:]
    ) -> [String] {
        var most = expected
        for (event, count) in repeats {
            most["lk_webhook_duplicates_total{event=\"\(event)\"}", default: 0] += Double(count)
        }
        return Set(most.keys).union(found.keys).sorted().compactMap { key in
            let (wanted, got) = (expected[key] ?? 0, found[key] ?? 0)
            if got > wanted, got <= most[key] ?? 0 { return nil }
            // Sums of the same numbers in another order differ in their last digits.
            return abs(wanted - got) <= 1e-9 * max(1, abs(wanted)) ? nil : "\(key): \(wanted) expected, \(got) found"
        }
    }
}
