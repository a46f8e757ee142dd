import HTTPClient
import HTTPServing
import Matching
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
        if reader.isSet("GRAFANA_PROM_REMOTE_WRITE_URL") {
            for name in ["ENVIRONMENT", "REGION"] where !reader.isSet(name) {
                reader.report("\(name): required when GRAFANA_PROM_REMOTE_WRITE_URL is set, such as \"prod\" or \"eu\"")
            }
        }
        if idlePushInterval < pushInterval {
            reader.report(
                "IDLE_PUSH_INTERVAL: expected at least PUSH_INTERVAL (\(UnitText.text(pushInterval))), "
                    + "got \"\(UnitText.text(idlePushInterval))\"")
        }
        if maxBackoff < minBackoff {
            reader.report("REMOTE_WRITE_MAX_BACKOFF: expected at least REMOTE_WRITE_MIN_BACKOFF")
        }
        if apiKey != nil && bearerToken != nil {
            reader.report("REMOTE_WRITE_BEARER_TOKEN: GRAFANA_API_KEY is set too: give one")
        }
        if (apiKey != nil) != !username.isEmpty {
            reader.report("GRAFANA_PROM_USERNAME and GRAFANA_API_KEY: give both or none")
        }
        if username.contains(":") {
            reader.report("GRAFANA_PROM_USERNAME: holds a colon, which no user name of basic authentication may")
        }
        if let token = try? bearerToken?.read().exposed, token.contains(where: \.isWhitespace) {
            reader.report("REMOTE_WRITE_BEARER_TOKEN: holds a blank; give the token alone, without the word Bearer")
        }
        if tlsCertificateFile.isEmpty != tlsKeyFile.isEmpty {
            reader.report("REMOTE_WRITE_TLS_CERT_FILE and REMOTE_WRITE_TLS_KEY_FILE: give both or none")
        }
        let files = [
            ("REMOTE_WRITE_TLS_CA_FILE", tlsCAFile), ("REMOTE_WRITE_TLS_CERT_FILE", tlsCertificateFile),
            ("REMOTE_WRITE_TLS_KEY_FILE", tlsKeyFile),
        ]
        for (name, path) in files where !path.isEmpty {
            do throws(SystemError) {
                _ = try FileStore.read(path)
            } catch {
                reader.report("\(name): \(error)")
            }
        }
        // Variables of other programs stop nobody who makes no connection.
        if reader.isSet("GRAFANA_PROM_REMOTE_WRITE_URL") || singleSession {
            for problem in network.problems { reader.report(problem) }
        }
        checkOrganizations(&reader)
    }

    private func checkAddresses(_ reader: inout SettingsReader) {
        for (name, text) in [("LISTEN", listen), ("METRICS_LISTEN", metricsListen)] {
            do throws(ServingError) {
                _ = try ListenAddress(text)
            } catch {
                reader.report("\(name): \(error)")
            }
        }
        // A file that cannot be read was reported when the setting was read.
        guard let location = try? databaseLocation() else { return }
        do throws(DatabaseURLFault) {
            _ = try StoreDriver.location(of: location)
        } catch {
            reader.report("DATABASE_URL: \(error)")
        }
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
            "Where LiveKit's server API is, such as wss://livekit.example.com. For SINGLE_SESSION.")
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

    /// The URL of the receiver; nil if it is not set.
    static func url(_ reader: inout SettingsReader) -> String? {
        let text = reader.text(
            "GRAFANA_PROM_REMOTE_WRITE_URL", "", as: .token,
            "Where to push, such as https://…/api/prom/push. Empty: nowhere.")
        guard !text.isEmpty else { return nil }
        // A text that is no URL may be a password in the wrong variable, so it is not quoted.
        guard let url = EndpointURL(text) else {
            reader.report("GRAFANA_PROM_REMOTE_WRITE_URL: expected a URL such as https://host/api/prom/push")
            return nil
        }
        // A query may hold a token.
        reader.showLast(as: text.contains("?") ? "\(url)?••••" : "\(url)")
        if text.dropFirst(8).prefix(while: { $0 != "/" && $0 != "?" }).contains("@") {
            reader.report(
                "GRAFANA_PROM_REMOTE_WRITE_URL: holds a user or password; use GRAFANA_PROM_USERNAME and GRAFANA_API_KEY"
            )
            return nil
        }
        return text
    }

    /// The text of further headers for requests.
    static func headers(_ reader: inout SettingsReader) -> SecretSource? {
        let source = reader.secretText("REMOTE_WRITE_HEADERS", "More headers, such as `X-Scope-OrgID=tenant`.")
        // A file that cannot be read was reported when the setting was read.
        guard let secret = try? source?.read() else { return source }
        do throws(ShipperSettings.HeadersFault) {
            _ = try ShipperSettings.headers(secret)
        } catch {
            reader.report("REMOTE_WRITE_HEADERS: \(error)")
        }
        return source
    }

    /// The families that are pushed.
    static func selection(_ reader: inout SettingsReader) -> FamilySelection {
        let globs: [String] = reader.value(
            "METRICS_EXCLUDE", "",
            "Metrics that are not pushed, by globs: `lkpush_http_*,process_*`. They stay on `/metrics`.",
            fallback: [], expected: "globs such as lkpush_http_*,process_*"
        ) { text in
            let globs = text.split(separator: ",").map { PlainText.trimmed($0) }.filter { !$0.isEmpty }
            return globs.isEmpty ? nil : globs
        }
        for glob in globs {
            do throws(FamilySelection.GlobFault) {
                try FamilySelection.check(glob)
            } catch {
                reader.report("METRICS_EXCLUDE: \"\(PlainText.shown(glob))\" \(error)")
            }
        }
        return FamilySelection(excluding: globs)
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
