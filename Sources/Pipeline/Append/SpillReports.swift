import Journal
import Platform

/// The lines and numbers about what the disk of a replica lost.
struct SpillReports {
    let metrics: AppendMetrics
    let log: Log

    /// Tells of new files that took the place of others.
    func tell(_ repairs: [SpillRepair]) {
        for repair in repairs {
            metrics.noteLost(repair.lostEvents)
            let fields: Log.Fields = [
                "cause": .string(repair.cause), "moved_to": .string(repair.movedAside ?? ""),
                "kept_events": .int(repair.keptEvents), "lost_events": .int(repair.lostEvents),
                "action": .string(
                    "See whether the disk of STATE_DIR has errors, and whether somebody removes files in it."),
            ]
            if repair.isComplete {
                log.warning("the file of events in STATE_DIR is a new one: all events of the former are in it", fields)
            } else {
                log.error(
                    "the file of events in STATE_DIR is a new one: events of the former are lost, or may be", fields)
            }
        }
    }

    /// Tells of events that were read and have wrong checksums; of none, it says nothing.
    func tellDamaged(_ events: Int) {
        guard events > 0 else { return }
        metrics.noteLost(events)
        log.error(
            "events in STATE_DIR are damaged and cannot be read: what they told is lost",
            [
                "events": .int(events),
                "action": .string("See whether the disk of STATE_DIR has errors: the kernel's log tells."),
            ])
    }

    /// Tells that the folder became usable after the start.
    func tellOfLateFolder() {
        log.warning(
            """
            STATE_DIR could not be used at the start: until the next start, this replica does not notice that the shared \
            log loses its end, nor of which event a process dies
            """,
            ["action": .string("Start this replica again, when no other process uses its STATE_DIR.")])
    }
}
