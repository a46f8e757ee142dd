import Simulation

/// The usage series of a recorder.
extension RecorderLife {
    private static let families = [
        ("lk_connection_seconds_total", "connection", "kind"), ("lk_track_seconds_total", "track", "source"),
        ("lk_egress_seconds_total", "egress", "request_type"), ("lk_ingress_seconds_total", "ingress", "input_type"),
        ("lk_agent_job_seconds_total", "agent", "agent_name"), ("lk_sip_call_seconds_total", "sip", "direction"),
    ]

    /// The time that each use shows, in milliseconds.
    var usage: [UsageTruth.Use: Int64] {
        var usage: [UsageTruth.Use: Int64] = [:]
        let series = series("lk_")
        for (family, kind, label) in Self.families {
            for (key, seconds) in series where key.hasPrefix(family + "{") {
                let organization = Self.value(of: "org_id", in: key)
                let use = UsageTruth.Use(
                    organization: organization, usage: "\(kind):\(Self.value(of: label, in: key))")
                usage[use, default: 0] += Int64((seconds * 1_000).rounded())
            }
        }
        return usage
    }

    /// The time that was shown ahead of late ends, in milliseconds, by kind of usage.
    var ahead: [String: Int64] {
        var ahead: [String: Int64] = [:]
        for (key, seconds) in series("lkpush_usage_ahead_seconds{") {
            ahead[Self.value(of: "usage", in: key)] = Int64((seconds * 1_000).rounded())
        }
        return ahead
    }

    private static func value(of label: String, in key: String) -> String {
        guard let start = key.firstRange(of: label + "=\"")?.upperBound else { return "" }
        return String(key[start...].prefix { $0 != "\"" })
    }
}
