/// The gauges that show open entities.
enum Gauges {
    static func isGauge(_ key: String) -> Bool { key.prefix { $0 != "{" }.hasSuffix("_active") }

    /// Gauges that cannot be true, whatever was lost: negative, not a whole number, or more than were ever opened.
    ///
    /// - Parameter day: the samples of everything that was sent.
    static func problems(_ found: [String: Double], atMost day: [String: Double]) -> [String] {
        let opened = [
            "lk_room_active": "lk_rooms_started_total", "lk_participants_active": "lk_participant_sessions_total",
            "lk_tracks_active": "lk_tracks_published_total", "lk_egress_active": "lk_egress_started_total",
            "lk_ingress_active": "lk_ingress_started_total", "lk_connections_active": "lk_connections_total",
            "lk_sip_calls_active": "lk_sip_calls_total", "lk_agent_jobs_active": "lk_agent_jobs_started_total",
        ]
        func name(_ key: String) -> String { String(key.prefix { $0 != "{" }) }
        // The sum is over all labels: an entity that is adopted after a loss may count under `unknown`.
        var most: [String: Double] = [:]
        for (key, value) in day { most[name(key), default: 0] += value }
        return found.filter { isGauge($0.key) }.sorted { $0.key < $1.key }.compactMap { key, value in
            let limit = most[opened[name(key)] ?? ""] ?? 0
            let isPlausible = value >= 0 && value <= limit && value == value.rounded()
            return isPlausible ? nil : "\(key): \(value), though only \(limit) were ever opened"
        }
    }
}
