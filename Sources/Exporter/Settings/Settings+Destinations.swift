import HTTPClient
import Platform
package import RemoteWrite
package import Shipper

/// The places that metrics are pushed to.
extension Settings {
    enum Limits {
        /// Each destination has a thread, a table of all series and up to `REMOTE_WRITE_QUEUE_BYTES` of memory: with
        /// more, the machine runs out of memory in the outage that they are to bridge.
        static let destinations = 16
        /// A name is a part of a file's name, of the names of variables, and of every series about its destination.
        static let destinationName_characters = 32
    }

    /// Reads all destinations: `default` if it has a URL, then those of `REMOTE_WRITE_DESTINATIONS`.
    static func destinations(_ reader: inout SettingsReader) -> [DestinationSettings] {
        let standard = DestinationSettings(&reader, DestinationVariables.standardName, like: nil)
        let named = destinationNames(&reader).map { DestinationSettings(&reader, $0, like: standard) }
        // The table shows the variables of the others once, and not for a real name.
        var pattern = SettingsReader([:])
        _ = DestinationSettings(&pattern, "<name>", like: standard)
        reader.addPattern(pattern.rows)
        if standard.url == nil, !named.isEmpty, standard.hasCredentials {
            let names = standard.variables
            reader.warn(
                "\(names.url): not set, so the credentials, headers and client certificate of \(standard.name) are not "
                    + "used: no other destination gets them")
        }
        let all = (reader.isSet(standard.variables.url) ? [standard] : []) + named
        warnOfTwins(&reader, all)
        return all
    }

    /// Receivers refuse a second sample of one series at one time, and one that is older than the newest.
    private static func warnOfTwins(_ reader: inout SettingsReader, _ all: [DestinationSettings]) {
        for (place, destination) in all.enumerated() {
            guard let twin = all[..<place].first(where: { destination.pushesTheSamePlace(as: $0) }) else { continue }
            reader.warn(
                "\(destination.variables.url): \(twin.name) and \(destination.name) push to the same address as the same "
                    + "user or tenant, which will refuse samples of one because of the other; leave one out, or give it "
                    + "another address, user or tenant")
        }
    }

    private static func destinationNames(_ reader: inout SettingsReader) -> [String] {
        let list = "REMOTE_WRITE_DESTINATIONS"
        let given: [String] = reader.value(
            list, "", "Names of more destinations, such as `eu,archive`, each with the variables that follow.",
            fallback: [], expected: "names such as eu,archive"
        ) { text in
            let names = text.split(separator: ",").map { PlainText.trimmed($0) }.filter { !$0.isEmpty }
            return names.isEmpty ? nil : names
        }
        var names: [String] = []
        for name in given {
            if let problem = problem(with: name, after: names) {
                reader.report("\(list): \"\(PlainText.shown(name))\" \(problem)")
                reader.hasUnreadDestinations = true
            } else {
                names.append(name)
            }
        }
        if names.count > Limits.destinations {
            reader.report("\(list): has \(names.count) names; at most \(Limits.destinations) are possible")
            reader.hasUnreadDestinations = true
        }
        return Array(names.prefix(Limits.destinations))
    }

    private static func problem(with name: String, after earlier: [String]) -> String? {
        if name == DestinationVariables.standardName {
            return "is the name of the destination that GRAFANA_PROM_REMOTE_WRITE_URL makes; leave it out, or give "
                + "another name"
        }
        if name == ShipperSettings.standardRemoteName {
            return "is the label remote_name of the destination default; give another name"
        }
        let isSmall = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
        guard isSmall, name.first?.isLetter == true else {
            return "is no name of a destination: give small letters a to z and digits, a letter first"
        }
        if name.count > Limits.destinationName_characters {
            return "is longer than \(Limits.destinationName_characters) characters"
        }
        return earlier.contains(name) ? "is there twice; give each name once" : nil
    }

    /// True if something is to be pushed, even if its address is wrong.
    var pushes: Bool { !destinations.isEmpty }

    /// The globs that match none of the families, with the variable that has them.
    package func globsWithoutMatch(in families: [String]) -> [(variable: String, globs: [String])] {
        let lists =
            [("METRICS_EXCLUDE", metricsExclude)]
            + destinations.flatMap {
                [($0.variables.include ?? "", $0.include), ($0.variables.exclude ?? "", $0.exclude)]
            }
        return lists.map { ($0, FamilySelection.globsWithoutMatch($1, in: families)) }.filter { !$0.1.isEmpty }
    }

    /// The label `instance`. It is remembered only where something is pushed.
    func instanceName(log: Log) -> String {
        if pushes { return InstanceName.resolve(configured: instance, stateDirectory: stateDirectory, log: log) }
        return instance.isEmpty ? InstanceName.host : instance
    }

    /// The same name, without remembering it.
    var instanceGlimpse: String { InstanceName.glimpse(configured: instance, stateDirectory: stateDirectory) }

    /// The settings of the shippers, one for each destination. Empty if nothing is pushed.
    ///
    /// - Parameter instance: the label `instance`.
    package func destinations(instance: String) throws -> [ShipperSettings] {
        guard pushes else { return [] }
        let external =
            [("environment", environment), ("region", region), ("service", service)]
            + externalLabels.map { ($0.name, $0.value) }
        let labels = try CommonLabels(
            job: job, instance: instance, external: external.map { (name: $0.0, value: $0.1) })
        return try destinations.map { destination in
            guard let url = destination.url else {
                preconditionFailure("settings without problems have the address of each destination")
            }
            var shipper = ShipperSettings(
                url: url, labels: labels, userAgent: Version.userAgent,
                schedule: SeriesTable.Schedule(pushInterval: pushInterval, idleInterval: idlePushInterval),
                batches: batches, delivery: delivery, timeout: timeout, staleOnStop: staleOnStop)
            shipper.selection = destination.selection(excluding: metricsExclude)
            shipper.network = network
            shipper.spool = spoolMaxBytes.bytes == 0 ? nil : spool
            shipper.unusedSpools = spool
            try destination.apply(to: &shipper)
            return shipper
        }
    }

    package var batches: BatchLimits { BatchLimits(samples: maxSamplesPerSend) }

    /// The same for every destination but for the message, which each has for itself.
    package var delivery: DeliverySettings {
        DeliverySettings(
            queue: queueBytes, minBackoff: minBackoff, maxBackoff: maxBackoff, retriesOnTooManyRequests: retryOnHTTP429,
            message: .auto, maxShards: maxShards)
    }

    private var spool: SpoolSettings {
        SpoolSettings(directory: stateDirectory, maxBytes: spoolMaxBytes, maxAge: spoolMaxAge)
    }
}
