import HTTPClient
import HTTPServing
import Matching
import Pipeline
import Platform
import RemoteWrite
import Shipper
import Storage

/// Rules about settings that go beyond the kind of each.
extension Settings {
    func checkTogether(_ reader: inout SettingsReader) {
        checkAddresses(&reader)
        if singleSession && !reader.isSet("LIVEKIT_URL") {
            reader.report("LIVEKIT_URL: required with SINGLE_SESSION=true, such as wss://livekit.example.com")
        }
        let pushing = ["GRAFANA_PROM_REMOTE_WRITE_URL", "REMOTE_WRITE_DESTINATIONS"].first { reader.isSet($0) }
        if let pushing {
            for name in ["ENVIRONMENT", "REGION"] where !reader.isSet(name) {
                reader.report("\(name): required when \(pushing) is set, such as \"prod\" or \"eu\"")
            }
        }
        if idlePushInterval < pushInterval {
            reader.report(
                "IDLE_PUSH_INTERVAL: expected at least PUSH_INTERVAL (\(UnitText.text(pushInterval))), "
                    + "got \"\(UnitText.text(idlePushInterval))\"")
        }
        if reconcileInterval > .zero && reconcileInterval < .milliseconds(100) {
            reader.report(
                "RECONCILE_INTERVAL: expected 0 (never) or a time from 100ms to 1h, got \"\(UnitText.text(reconcileInterval))\""
            )
        }
        if maxBackoff < minBackoff {
            reader.report("REMOTE_WRITE_MAX_BACKOFF: expected at least REMOTE_WRITE_MIN_BACKOFF")
        }
        // Variables of other programs stop nobody who makes no connection.
        if pushing != nil || singleSession || polls {
            for problem in network.problems { reader.report(problem) }
        }
        checkReplicas(&reader)
        checkOrganizations(&reader)
    }

    /// Replicas share all that one process keeps in its folder.
    private func checkReplicas(_ reader: inout SettingsReader) {
        guard sharedJournal != nil else { return }
        // A URL that cannot be read was reported.
        if let text = try? databaseLocation(), let file = try? StoreDriver.location(of: text).file, !file.isEmpty {
            reader.report(
                "DATABASE_URL: expected postgres://… with JOURNAL_URL, because a file would be another one on each replica"
            )
        }
        if durability == .memory {
            reader.warn(
                "DURABILITY=memory with JOURNAL_URL: nothing is kept in STATE_DIR, so webhooks are refused with 503 while the "
                    + "database of JOURNAL_URL does not answer; DURABILITY=commit keeps them in STATE_DIR meanwhile")
        }
    }

    /// Reads a list of host names.
    static func hosts(_ reader: inout SettingsReader, _ name: String, _ help: String) -> [String] {
        reader.value(name, "", help, fallback: [], expected: "host names such as lkpush.internal,lkpush.prod.svc") {
            text in
            let names = text.split(separator: ",").map { PlainText.trimmed($0) }.filter { !$0.isEmpty }
            let areNames = names.allSatisfy { name in
                name.utf8.allSatisfy { byte in
                    (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "-._".utf8.contains(byte)
                }
            }
            return names.isEmpty || !areNames ? nil : names
        }
    }

    private func checkAddresses(_ reader: inout SettingsReader) {
        for (name, text) in [("LISTEN", listen), ("METRICS_LISTEN", metricsListen)] {
            do throws(ServingError) {
                _ = try ListenAddress(text)
            } catch {
                reader.report("\(name): \(error)")
            }
        }
        databasePlace.check(&reader)
    }

    private func checkOrganizations(_ reader: inout SettingsReader) {
        switch organizationSource {
        case .fixed, .database: break
        case .roomName:
            guard !organizationPattern.isEmpty else {
                reader.report("ORG_ROOM_PATTERN: required with ORG_SOURCE=room-name, such as ^(?<org>[^~]+)~")
                return
            }
            do throws(PatternFault) {
                let pattern = try Pattern(organizationPattern)
                if !pattern.groupNames.contains("org") {
                    reader.report("ORG_ROOM_PATTERN: expected a group named org, such as (?<org>[^~]+)")
                }
            } catch {
                reader.report("ORG_ROOM_PATTERN: \(error)")
            }
        case .metadata:
            if organizationMetadataKey.isEmpty {
                reader.report("ORG_METADATA_KEY: required with ORG_SOURCE=metadata, such as org_id")
            }
        }
        if !organizationLookupSQL.isEmpty {
            do throws(LookupQuery.QueryFault) {
                _ = try LookupQuery(sql: organizationLookupSQL)
            } catch {
                reader.report("ORG_LOOKUP_SQL: \(error)")
            }
        }
    }

    /// The URL of LiveKit's server API; nil if it is not set. Clients get the same address with `ws` or `wss`, so both
    /// are accepted here, as in LiveKit's own libraries.
    static func liveKitURL(_ reader: inout SettingsReader) -> String? {
        let text = reader.text(
            "LIVEKIT_URL", "", as: .token,
            "Where LiveKit's server API is, such as wss://livekit.example.com. For RECONCILE_INTERVAL and SINGLE_SESSION."
        )
        guard !text.isEmpty else { return nil }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        var url = ["ws": "http", "wss": "https"][scheme].map { $0 + text.dropFirst(scheme.count) } ?? text
        while url.hasSuffix("/") { url.removeLast() }
        let authority = text.dropFirst(scheme.count + 3).prefix { $0 != "/" }
        // A text that is no URL, or a URL with more parts, may hold a password, so it is not quoted.
        guard EndpointURL(url) != nil, !url.contains("?"), !url.contains("#"), !authority.contains("@") else {
            reader.showLast(as: "••••")
            reader.report("LIVEKIT_URL: expected a URL such as wss://host or https://host:7880, without user or query")
            return nil
        }
        return url
    }

    /// The most that a spool takes; 0 for none.
    static func spoolMaxBytes(_ reader: inout SettingsReader) -> ByteCount {
        let standard = ByteCount.mebibytes(256)
        let range = ByteCount.mebibytes(1)...(.mebibytes(1 << 20))
        return reader.value(
            "SPOOL_MAX_BYTES", "\(standard)",
            "Disk of each destination, in STATE_DIR, for what waits during an outage; the oldest is dropped first. 0: "
                + "it waits in memory only.", fallback: standard,
            expected: "0, or a size such as 64MiB or 1GiB, from \(range.lowerBound) to \(range.upperBound)"
        ) { UnitText.size($0).flatMap { $0.bytes == 0 || range.contains($0) ? $0 : nil } }
    }

    static func labelProblem(_ name: String, _ value: String) -> String? {
        do throws(CommonLabels.LabelFault) {
            try CommonLabels.check(name)
            return nil
        } catch {
            return error.description
        }
    }
}
