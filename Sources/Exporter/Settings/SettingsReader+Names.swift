import Platform
import Shipper

/// Environment variables that are not settings.
extension SettingsReader {
    /// Prefixes that no other program uses. A variable with such a prefix is meant for lkpush.
    static let ownPrefixes = ["REMOTE_WRITE_", "WEBHOOK_", "SPOOL_", "JOURNAL_", "RELAY_"]
    /// Prefixes that other programs use, too. The environment of a pod is often shared.
    static let sharedPrefixes = ["LIVEKIT_", "GRAFANA_", "ORG_", "LOKI_", "METRIC"]
    /// A name with at most this distance from a setting is taken for a typing mistake, if the setting is at least this
    /// long.
    private static let slip = (distance: 2, length: 8)
    /// The most unknown names that are listed.
    private static let listed = 20

    /// Reports variables that are meant for lkpush but are not settings.
    mutating func reportUnknown() {
        let settings = rows.map(\.name)
        let known = Set(settings).union(rows.filter(\.isSecret).map { $0.name + "_FILE" })
        var unknown: [String] = []
        for name in givenNames where !known.contains(name) && !Self.isInjected(name) {
            let shown = PlainText.shown(name)
            if name.hasPrefix(DestinationVariables.prefix) {
                if let problem = problem(ofDestinationVariable: name, known) { report("\(shown): \(problem)") }
            } else if let prefix = Self.ownPrefixes.first(where: { name.hasPrefix($0) }) {
                let alike = known.filter { $0.hasPrefix(prefix) }
                // `REMOTE_WRITE_URL` is the end of a setting's name.
                let longer = known.filter { $0.hasSuffix("_\(name)") }.min()
                let nearest = longer ?? Self.nearest(to: name, in: alike.isEmpty ? known : alike)?.name ?? ""
                report("\(shown): no such setting; is \(nearest) meant?")
            } else if name.hasSuffix("_FILE"), settings.contains(String(name.dropLast("_FILE".count))) {
                let setting = name.dropLast("_FILE".count)
                report("\(shown): \(setting) is no secret and is not read from a file; set \(setting) itself")
            } else if let meant = Self.slip(name, of: known) {
                report("\(shown): no such setting; is \(meant) meant?")
            } else if Self.sharedPrefixes.contains(where: { name.hasPrefix($0) }) {
                unknown.append(shown)
            }
        }
        guard !unknown.isEmpty else { return }
        let rest = unknown.count - Self.listed
        warn(
            "\(unknown.prefix(Self.listed).joined(separator: ", "))\(rest > 0 ? " and \(rest) more" : ""): "
                + "no setting of lkpush, not read; see lkpush help where one was meant")
    }

    /// Says what is wrong with a variable that begins as those of destinations do. Nil if another problem is the cause.
    private func problem(ofDestinationVariable name: String, _ known: Set<String>) -> String? {
        let parts = name.dropFirst(DestinationVariables.prefix.count).split(separator: "_", maxSplits: 1)
        let ofAll = known.filter { $0.hasPrefix(DestinationVariables.prefix) }
        guard parts.count == 2, let destination = parts.first?.uppercased() else {
            return "no such setting; is \(Self.nearest(to: name, in: ofAll)?.name ?? "") meant?"
        }
        let own = ofAll.filter { $0.hasPrefix("\(DestinationVariables.prefix)\(destination)_") }
        if let nearest = Self.nearest(to: name.uppercased(), in: own) {
            return "no such setting; is \(nearest.name) meant?"
        }
        if hasUnreadDestinations { return nil }
        let shown = PlainText.shown(destination.lowercased())
        guard shown != DestinationVariables.standardName else {
            return
                "the destination default has names of its own, such as GRAFANA_PROM_REMOTE_WRITE_URL; see lkpush help"
        }
        let missing = "REMOTE_WRITE_DESTINATIONS has no \(shown); add it"
        let nearest = Self.nearest(to: name, in: ofAll.filter { !$0.contains("<") })
        return nearest.map { "\(missing), or is \($0.name) meant?" } ?? missing
    }

    /// True for variables that systemd sets for every service, Kubernetes in every pod for each service, and for those
    /// of OpenTelemetry.
    /// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    /// https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Environment%20Variables%20Set%20or%20Propagated%20by%20the%20Service%20Manager
    private static func isInjected(_ name: String) -> Bool {
        if name == "JOURNAL_STREAM" { return true }
        var name = name[...]
        // A destination may be called `portal` or `service`.
        if name.hasPrefix(DestinationVariables.prefix) {
            name = name.dropFirst(DestinationVariables.prefix.count).drop { $0 != "_" }
        }
        return name.contains("_SERVICE_") || name.contains("_PORT") || name.hasPrefix("OTEL_")
    }

    private static func slip(_ name: String, of known: Set<String>) -> String? {
        let alike = known.filter {
            $0.utf8.count >= slip.length && abs($0.utf8.count - name.utf8.count) <= slip.distance
        }
        return nearest(to: name, in: alike).flatMap { $0.distance <= slip.distance ? $0.name : nil }
    }

    private static func nearest(to name: String, in names: Set<String>) -> (name: String, distance: Int)? {
        names.map { (name: $0, distance: EditDistance.between(name, $0)) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    }
}
