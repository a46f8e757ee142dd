import HTTPClient
import Platform
import RemoteWrite
import Wire

// Log lines about samples that no receiver will get.

extension ShipperWorker {
    /// Notes samples that the receiver refused for good.
    func noteRejected(_ samples: Int, status: Int, answer: String) {
        rejected.note(samples, status: status, answer: answer, at: time.monotonic(), wall: time.now())
    }

    /// Notes that samples were accepted. If a page answered, they may still be lost.
    func noteAccepted(_ response: Response) {
        rejected.noteAccepted()
        guard ShipperRequests.isPage(response) else { return }
        log.throttled(
            .warning, every: SampleLosses.Limits.interval,
            """
            a page answers where samples are sent: they may be lost; see whether the setting is the address of a receiver \
            or of a login
            """, ["status": .int(response.status), "setting": .string(settings.variables.url)])
    }

    /// Logs the losses that are due.
    func tellLosses(isLast: Bool = false) {
        let now = time.monotonic()
        for reason in DropReason.allCases where reason != .stopped { tellDropped(reason, at: now, isLast: isLast) }
        switch rejected.notice(at: now, isLast: isLast) {
        case .lost(let loss) where ShipperRequests.isWrongAddress(loss.status):
            log.error(
                """
                samples are lost: the setting is a wrong address, what answers there is no receiver of remote write
                """, fields(of: loss, setting: settings.variables.url))
        case .lost(let loss) where (200..<300).contains(loss.status):
            log.error(
                """
                samples are lost: the receiver answered with success and did not read remote write 2.0; set the setting to \
                auto, or 1.0
                """, fields(of: loss, setting: settings.variables.message))
        case .lost(let loss):
            log.error("samples are lost: the receiver refused them for good; see its answer", fields(of: loss))
        case .over(let inAll, let since):
            log.info(
                "the receiver takes samples again",
                ["lost_in_all": .int(inAll), "since": .string(CivilTime(since).description)])
        case nil: break
        }
    }

    private func tellDropped(_ reason: DropReason, at now: MonotonicTime, isLast: Bool) {
        var losses = dropped[reason] ?? SampleLosses()
        defer { dropped[reason] = losses }
        let gone = delivery.statistics.dropped[reason] ?? 0
        let before = droppedBefore[reason] ?? 0
        if gone > before {
            losses.note(Int(gone - before), at: now, wall: time.now())
            droppedBefore[reason] = gone
        }
        if case .lost(let loss) = losses.notice(at: now, isLast: isLast) {
            let fields: Log.Fields = [
                "lost": .int(loss.samples), "lost_in_all": .int(loss.inAll),
                "since": .string(CivilTime(loss.since).description),
                "queue_bytes": .int(delivery.statistics.queue_bytes),
            ]
            switch reason {
            case .queueFull, .stopped:
                log.error(
                    """
                    samples are lost: they waited for the receiver until REMOTE_WRITE_QUEUE_BYTES was full; see why it \
                    does not take them
                    """, fields)
            case .tooLarge:
                log.error(
                    "samples are lost: one reading is larger than REMOTE_WRITE_QUEUE_BYTES allows; raise it", fields)
            case .spoolFull:
                log.error(
                    """
                    samples are lost: the receiver has been away for so long that the spool is full; see why, or raise \
                    SPOOL_MAX_BYTES
                    """, fields)
            case .diskReserve:
                log.error(
                    """
                    samples are lost: the file system has no room for the spool, which leaves the last 10 % of it, at \
                    least 128 MiB, to the journal; make room
                    """, fields)
            case .tooOld:
                log.error(
                    """
                    samples are lost: they waited for the receiver for longer than SPOOL_MAX_AGE; see why it does not \
                    take them
                    """, fields)
            case .damaged:
                log.error(
                    "samples are lost: the spool cannot be read where they were; see whether the disk has errors",
                    fields)
            case .clock:
                log.error(
                    "samples are lost: they were read while the clock was ahead, and it was set back; see what sets it",
                    fields)
            }
        }
        // A run of drops is over when nothing was dropped for a while. Other lines say that the receiver accepts
        // samples again.
        losses.noteAccepted()
    }

    private func fields(of loss: SampleLosses.Loss, setting: String = "") -> Log.Fields {
        let codes = loss.codes.sorted { $0.key < $1.key }.prefix(SampleLosses.Limits.codes)
            .map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        return [
            "lost": .int(loss.samples), "lost_in_all": .int(loss.inAll),
            "since": .string(CivilTime(loss.since).description), "status": .int(loss.status),
            "answer": .string(loss.answer), "lost_by_status": .string(codes), "setting": .string(setting),
        ]
    }
}
