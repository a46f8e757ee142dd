import JournalSQLite
import Metrics
import Platform
import RemoteWrite
import Shipper
import Wire

/// The part of `lkpush check` about destinations: their receivers, and what an outage of them would cost.
extension Check {
    /// Asks each receiver, and prints a line for each finding under the name of its destination.
    static func destinations(_ settings: Settings, holder: String?, _ log: Log, _ report: inout CheckReport) {
        do {
            let destinations = try settings.destinations(instance: settings.instanceGlimpse)
            for destination in destinations { receiver(destination, &report) }
            if destinations.isEmpty {
                report.tell(.ok, "receiver", "none configured; metrics are only served at /metrics")
            } else {
                backlogs(destinations, settings, log, &report)
            }
            spools(destinations.map(\.destination), settings, holder: holder, &report)
        } catch {
            report.tell(.fault, "receiver", "\(error)")
        }
    }

    private static func receiver(_ destination: ShipperSettings, _ report: inout CheckReport) {
        for (number, finding) in ShipperProbe.run(destination).findings.enumerated() {
            let mark: CheckReport.Mark =
                switch finding.weight {
                case .good: .ok
                case .warning: .flaw
                case .fault: .fault
                }
            let text = number == 0 ? "\(destination.url): \(finding.text)" : finding.text
            report.tell(mark, "receiver \(destination.destination)", text)
        }
    }

    // MARK: What waits during an outage

    /// Says how long samples can wait, and what they may take.
    private static func backlogs(
        _ destinations: [ShipperSettings], _ settings: Settings, _ log: Log, _ report: inout CheckReport
    ) {
        let hasSpool = settings.spoolMaxBytes.bytes > 0
        let room =
            hasSpool
            ? SpoolRoom(
                directory: existingParent(of: settings.stateDirectory), destinations: destinations.map(\.destination))
            : nil
        let pushed = pushedSamples(settings, log)
        for destination in destinations {
            let samples = pushed[destination.destination]
            let estimate = destination.estimate(samples: samples ?? SpoolEstimate.usualSamples, room: room)
            report.tell(.ok, "backlog \(destination.destination)", text(estimate, isAssumed: samples == nil))
        }
        let count = destinations.count
        var most = "\(settings.queueBytes.times(count)) of memory (REMOTE_WRITE_QUEUE_BYTES)"
        if hasSpool { most += " and \(settings.spoolMaxBytes.times(count)) of disk (SPOOL_MAX_BYTES)" }
        report.tell(.ok, "backlog", "\(count == 1 ? "it takes" : "all \(count) take") at most \(most)")
        guard let room else { return }
        let (free, reserve) = (UnitText.rough(room.free), UnitText.rough(room.reserve))
        report.tell(
            room.isThere ? .ok : .flaw, "disk",
            room.isThere
                ? "\(free) are free, and spools never take the last \(reserve)"
                : "\(free) are free, and spools never take the last \(reserve): what waits for a receiver "
                    + "stays in memory, and is lost at a restart; free some of the disk of STATE_DIR")
    }

    private static func text(_ estimate: SpoolEstimate, isAssumed: Bool) -> String {
        let what =
            "\(UnitText.grouped(estimate.samples)) series (\(isAssumed ? "assumed" : "as pushed last")) every "
            + UnitText.text(estimate.interval)
        let memory = "\(UnitText.rough(estimate.memory)) of it, and nothing over a restart (REMOTE_WRITE_QUEUE_BYTES)"
        guard let disk = estimate.disk else {
            return "of \(what), memory holds about \(memory), while the receiver does not answer"
        }
        let bound =
            switch disk.bound {
            case .age: "SPOOL_MAX_AGE"
            case .bytes: "SPOOL_MAX_BYTES"
            case .disk: "the free disk"
            }
        return "of \(what), STATE_DIR holds about \(UnitText.rough(disk.lasts)) (\(bound)) while the receiver does not "
            + "answer; if it cannot be written, memory holds about \(memory)"
    }

    /// The samples of one reading of each destination, as far as `STATE_DIR` knows what was pushed.
    private static func pushedSamples(_ settings: Settings, _ log: Log) -> [String: Int] {
        guard let keys = JournalFile.glimpseOfShipped(in: settings.stateDirectory), !keys.isEmpty else { return [:] }
        // Other checks report why the program cannot start.
        guard let families = try? DeclaredFamilies.all(settings, log: log) else { return [:] }
        let rows = Dictionary(families.map { ($0.name, $0.seriesPerChild) }) { first, _ in first }
        // A key that cannot be read is not counted.
        let series = keys.compactMap { try? ShippedSeries(bytes: $0) }
        return Dictionary(grouping: series, by: \.destination).mapValues {
            SpoolEstimate.samples(of: $0.map(\.key), rows: rows)
        }
    }

    // MARK: What waits now

    /// Tells the spools that exist, also those of destinations that are not configured any more.
    private static func spools(
        _ configured: [String], _ settings: Settings, holder: String?, _ report: inout CheckReport
    ) {
        let directory = settings.stateDirectory
        let found = SpoolFile.names(in: directory)
        guard !found.isEmpty else { return }
        for name in found {
            let size = UnitText.rough(ByteCount(SpoolFile.size_bytes(directory: directory, destination: name)))
            var text: String
            if let holder {
                text = "\(size) on disk; \(holder) sends them, and counts them in lkpush_remote_write_spool_*"
            } else if let glimpse = SpoolFile.glimpse(
                at: SpoolFile.path(directory: directory, destination: name))
            {
                let newest = glimpse.newest.map { ", the newest of \(CivilTime($0))" } ?? ""
                text = "\(UnitText.grouped(glimpse.samples)) samples (\(size)) wait on disk\(newest)"
            } else {
                text = "\(size) on disk cannot be read; the next start keeps what it can read, and counts the rest"
            }
            if !configured.contains(name) {
                text +=
                    "; there is no destination \(name) any more, so they are dropped when they are older than "
                    + "SPOOL_MAX_AGE (\(UnitText.text(settings.spoolMaxAge)))"
            }
            report.tell(.ok, "spool \(name)", text)
        }
    }
}

extension ByteCount {
    /// So many times this; the most there is where that is more.
    fileprivate func times(_ count: Int) -> ByteCount {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: count)
        return ByteCount(overflow ? .max : product)
    }
}
