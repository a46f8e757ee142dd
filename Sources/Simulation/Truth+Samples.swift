import LiveKit

extension Truth {
    /// Every sample that a recorder must show after all webhooks, by its name and labels as in the text exposition,
    /// with labels sorted by name. A sample that is not listed is 0 or absent.
    ///
    /// Histograms are listed as `_count`, `_sum` and `_bucket`; of the delivery lag only the count is certain.
    package func samples(project: String, region: String) -> [String: Double] {
        var samples = Samples(shared: ["project": project, "region": region])
        for (event, count) in events {
            samples.set("lk_webhook_events_total", ["event": event.rawValue], count, isShared: false)
            samples.set("lk_webhook_delivery_lag_seconds_count", ["event": event.rawValue], count, isShared: false)
        }
        for (event, count) in duplicates {
            samples.set("lk_webhook_duplicates_total", ["event": event.rawValue], count, isShared: false)
        }
        for (organization, account) in accounts { samples.set(account, of: organization) }
        return samples.values
    }

    /// Every sample about usage that does not grow while time passes, in the same form. A figure that is 0 is listed too,
    /// because it was another one before.
    package func usageSamples(project: String, region: String) -> [String: Double] {
        var samples = Samples(shared: ["project": project, "region": region])
        for (figure, value) in usage.figures {
            samples.set(
                figure.name, figure.labels.merging(["org_id": figure.organization]) { $1 }, Double(value))
        }
        for (use, distribution) in usage.waits {
            let labels = ["agent_name": String(use.usage.dropFirst(6)), "org_id": use.organization]
            samples.set("lk_agent_job_wait_seconds", labels, distribution)
        }
        return samples.values
    }
}

/// Samples by name and labels.
private struct Samples {
    let shared: [String: String]
    var values: [String: Double] = [:]

    init(shared: [String: String]) { self.shared = shared }

    mutating func set(_ name: String, _ labels: [String: String], _ value: Int, isShared: Bool = true) {
        set(name, labels, Double(value), isShared: isShared)
    }

    mutating func set(_ name: String, _ labels: [String: String], _ value: Double, isShared: Bool = true) {
        let all = isShared ? labels.merging(shared) { own, _ in own } : labels
        let text = all.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
        values["\(name){\(text)}"] = value
    }

    mutating func set(_ name: String, _ labels: [String: String], _ distribution: Truth.Distribution) {
        set(name + "_count", labels, distribution.count)
        set(name + "_sum", labels, distribution.sum)
        let bounds = distribution.bounds.map { $0 < 1 || $0 == 2.5 ? "\($0)" : String(Int($0)) } + ["+Inf"]
        for (bound, count) in zip(bounds, distribution.buckets) {
            set(name + "_bucket", labels.merging(["le": bound]) { own, _ in own }, count)
        }
    }

    mutating func set(_ account: Truth.Account, of organization: String) {
        let own = ["org_id": organization]
        let with = { (name: String, value: String) in [name: value, "org_id": organization] }
        set("lk_room_active", own, account.openRooms.count)
        set("lk_rooms_started_total", own, account.roomsStarted)
        set("lk_rooms_finished_total", own, account.roomsFinished)
        set("lk_room_duration_seconds", own, account.roomDurations)
        set("lk_participants_active", own, account.present.count)
        set("lk_participant_sessions_total", own, account.sessions)
        set("lk_participant_lifetime_seconds", own, account.lifetimes)
        for (source, count) in account.tracks {
            let labels = ["type": TrackMessage.medium(of: source).rawValue].merging(with("source", source.rawValue)) {
                own, _ in own
            }
            set("lk_tracks_published_total", labels, count)
            set("lk_tracks_active", labels, account.openTracks.values.count { $0 == source })
        }
        for (type, count) in account.recordingsStarted {
            let labels = with("request_type", type.rawValue)
            set("lk_egress_started_total", labels, count)
            set("lk_egress_active", labels, account.openRecordings.values.count { $0 == type })
        }
        for (how, count) in account.recordingsEnded {
            let labels = with("request_type", how.kind.rawValue).merging(["result": how.result]) { own, _ in own }
            set("lk_egress_ended_total", labels, count)
            if let durations = account.recordingDurations[how] { set("lk_egress_duration_seconds", labels, durations) }
        }
        for (type, count) in account.streamsStarted {
            let labels = with("input_type", type.rawValue)
            set("lk_ingress_started_total", labels, count)
            set("lk_ingress_active", labels, account.openStreams.values.count { $0 == type })
        }
        for (how, count) in account.streamsEnded {
            let labels = with("input_type", how.kind.rawValue).merging(["result": how.result]) { own, _ in own }
            set("lk_ingress_ended_total", labels, count)
            if let durations = account.streamDurations[how] { set("lk_ingress_duration_seconds", labels, durations) }
        }
    }
}
