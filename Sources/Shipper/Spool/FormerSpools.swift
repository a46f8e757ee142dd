import Metrics
import Platform
import RemoteWrite
import Wire

/// The spools of destinations that are not configured any more. Nobody sends what they hold. So they stay until it is too
/// old for any receiver, in case a destination is configured again, and are deleted then.
struct FormerSpools {
    private struct Former {
        let destination: String
        let path: String
        let samples: Int
        /// The time of the newest sample.
        let newest: Timestamp
    }

    private var formers: [Former] = []
    private let maxAge: Duration
    /// The label `reason` of what is deleted. The destinations count under their own reasons themselves.
    private let reason: String
    private let dropped: Family<Counter>
    private let log: Log

    /// Looks for them in the folder of the spools.
    ///
    /// - Parameter configured: the names of all destinations; empty if they have no spools.
    init(_ settings: SpoolSettings, configured: [String], dropped: Family<Counter>, log: Log, now: Timestamp) {
        maxAge = settings.maxAge
        reason = configured.isEmpty ? "unused" : DropReason.tooOld.rawValue
        self.dropped = dropped
        self.log = log
        for name in SpoolFile.names(in: settings.directory) where !configured.contains(name) {
            let path = SpoolFile.path(directory: settings.directory, destination: name)
            // The age of a file that cannot be read counts from now on.
            let glimpse = SpoolFile.glimpse(at: path)
            let former = Former(
                destination: name, path: path, samples: glimpse?.samples ?? 0, newest: glimpse?.newest ?? now)
            formers.append(former)
            log.warning(
                """
                samples wait in a spool that nobody sends, since its destination is not configured any more or \
                SPOOL_MAX_BYTES is 0: they are deleted when they are older than SPOOL_MAX_AGE; configure it again to have \
                them sent, or delete the file
                """, ["former": .string(name), "samples": .int(former.samples), "path": .string(path)])
        }
    }

    /// Deletes those that are too old.
    mutating func removeOld(at now: Timestamp) {
        formers.removeAll { former in
            guard now.since(former.newest) > maxAge else { return false }
            SpoolFile.discard(former.path)
            dropped.series([former.destination, reason])?.increment(by: Double(former.samples))
            log.error(
                """
                samples are lost: nobody sends what a spool holds, since its destination is not configured any more or \
                SPOOL_MAX_BYTES is 0, and it is older than SPOOL_MAX_AGE
                """,
                ["former": .string(former.destination), "lost": .int(former.samples)])
            return true
        }
    }
}
