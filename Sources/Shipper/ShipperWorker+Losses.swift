import Platform
import RemoteWrite
import Status
import Wire

// Log lines about samples that no receiver will get.

extension ShipperWorker {
    /// Notes samples that the receiver refused for good.
    func noteRejected(_ samples: Int, _ answer: AnswerStatus, _ meaning: ReceiverHint.Meaning?) {
        lastLoss = answer.at
        refusal = meaning
        rejected.note(samples, status: answer.status, answer: answer.text, at: time.monotonic(), wall: answer.at)
    }

    /// Logs the losses that are due.
    func tellLosses(isLast: Bool = false) {
        let now = time.monotonic()
        for reason in DropReason.allCases where reason != .stopped { tellDropped(reason, at: now, isLast: isLast) }
        switch rejected.notice(at: now, isLast: isLast) {
        case .lost(let loss) where ShipperRequests.isWrongAddress(loss.status):
            log.error(
                "samples are lost: the setting is a wrong address, what answers there is no receiver of remote write",
                fields(of: loss))
        case .lost(let loss) where (200..<300).contains(loss.status):
            log.error(
                "samples are lost: the receiver answered with success and did not read remote write 2.0",
                fields(of: loss))
        case .lost(let loss):
            log.error("samples are lost: the receiver refused them for good", fields(of: loss))
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
            lastLoss = time.now()
            losses.note(Int(gone - before), at: now, wall: time.now())
            droppedBefore[reason] = gone
        }
        if case .lost(let loss) = losses.notice(at: now, isLast: isLast) {
            tell(loss, reason)
        }
        // A run of drops is over when nothing was dropped for a while. Other lines say that the receiver accepts
        // samples again.
        losses.noteAccepted()
    }

    private func tell(_ loss: SampleLosses.Loss, _ reason: DropReason) {
        let (cause, action) = origin(of: reason)
        let fields: Log.Fields = [
            "lost": .int(loss.samples), "lost_in_all": .int(loss.inAll),
            "since": .string(CivilTime(loss.since).description),
            "queue_bytes": .int(delivery.statistics.queue_bytes), "cause": .string(cause), "action": .string(action),
        ]
        switch reason {
        case .queueFull, .stopped:
            log.error(
                "samples are lost: they waited for the receiver until REMOTE_WRITE_QUEUE_BYTES was full", fields)
        case .tooLarge:
            log.error("samples are lost: one reading is larger than REMOTE_WRITE_QUEUE_BYTES allows", fields)
        case .spoolFull:
            log.error("samples are lost: the receiver has been away for so long that the spool is full", fields)
        case .diskReserve:
            log.error(
                """
                samples are lost: the file system has no room for the spool, which leaves the last 10 % of it, at least \
                128 MiB, to the journal
                """, fields)
        case .tooOld:
            log.error("samples are lost: they waited for the receiver for longer than SPOOL_MAX_AGE", fields)
        case .damaged: log.error("samples are lost: the spool cannot be read where they were", fields)
        case .clock:
            log.error("samples are lost: they were read while the clock was ahead, and it was set back", fields)
        }
    }

    /// What led to a drop, and what to do. Samples that waited too long have the receiver's trouble as their cause.
    private func origin(of reason: DropReason) -> (cause: String, action: String) {
        let trouble = receiver.trouble
        func awaited(_ action: String) -> (String, String) {
            trouble.map { ($0.text, $0.advice) } ?? ("the receiver takes less than is read", action)
        }
        return switch reason {
        case .queueFull, .stopped:
            awaited(
                "Look at the receiver, raise REMOTE_WRITE_QUEUE_BYTES, or let samples wait on disk: SPOOL_MAX_BYTES.")
        case .spoolFull: awaited("Look at the receiver, or raise SPOOL_MAX_BYTES.")
        case .tooOld: awaited("Look at the receiver. REMOTE_WRITE_MAX_SHARDS lets more requests run at once.")
        case .tooLarge: ("a reading needs more memory than there may be", "Raise REMOTE_WRITE_QUEUE_BYTES.")
        case .diskReserve: ("the disk is nearly full", "Make room on the file system of STATE_DIR.")
        case .damaged: ("the file is damaged", "See whether the disk has errors.")
        case .clock: ("the clock of this machine was wrong", "See what sets the clock, and let NTP set it.")
        }
    }

    private func fields(of loss: SampleLosses.Loss) -> Log.Fields {
        let codes = loss.codes.sorted { $0.key < $1.key }.prefix(SampleLosses.Limits.codes)
            .map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        return [
            "lost": .int(loss.samples), "lost_in_all": .int(loss.inAll),
            "since": .string(CivilTime(loss.since).description), "status": .int(loss.status),
            "answer": .string(loss.answer), "lost_by_status": .string(codes),
            "setting": .string(refusal?.setting ?? ""), "cause": .string(refusal?.text ?? ""),
            "action": .string(refusal?.advice ?? ""),
        ]
    }
}
