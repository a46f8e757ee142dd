import HTTPClient
import Platform
import RemoteWrite
import Status
import Wire

// The outcomes of requests: what they mean, for the log and for the status.

extension ShipperWorker {
    /// Takes note of an outcome, and logs it if it is a trouble or the end of one.
    func report(_ verdict: Delivery.Verdict, _ completion: Completion, _ sent: Sent) {
        let now = time.now()
        let answer = Self.answer(completion, at: now)
        lastAnswer = answer
        if !inFlight.contains(where: \.isLate) { receiver.note(lateness: nil) }
        let meaning = meaning(of: verdict, completion.outcome, at: now)
        let failures = receiver.failures
        receiver.note(verdict, meaning)
        switch verdict {
        case .accepted:
            // A receiver may fail every second request.
            if failures > 0 { log.throttled(.info, "the receiver takes samples again", ["failures": .int(failures)]) }
            rejected.noteAccepted()
            if let meaning { tellWrongAddress(answer, meaning) }
        case .acceptedInPart(let missing):
            rejected.noteAccepted()
            log.throttled(
                .warning, every: SampleLosses.Limits.interval,
                "the receiver took a request and counted fewer samples than it holds: these count as ambiguous",
                [
                    "status": .int(answer.status), "missing": .int(missing), "samples": .int(sent.samples),
                    "cause": .string(meaning?.text ?? ""), "action": .string(meaning?.advice ?? ""),
                ])
        case .rejected(let lost): if lost > 0 { noteRejected(lost, answer, meaning) }
        case .ambiguous:
            log.throttled(
                .warning,
                """
                the receiver refused samples that it may have stored before: they count as ambiguous, and usually none is \
                missing
                """,
                [
                    "status": .int(answer.status), "answer": .string(answer.text), "samples": .int(sent.samples),
                    "cause": .string(meaning?.text ?? ""), "action": .string(meaning?.advice ?? ""),
                ])
        case .retried(let wait):
            log.throttled(
                .warning, by: meaning?.text ?? "", "samples could not be sent: they are kept and sent again",
                [
                    "status": .int(answer.status), "answer": .string(answer.text), "samples": .int(sent.samples),
                    "again_ms": .milliseconds(wait), "cause": .string(meaning?.text ?? ""),
                    "action": .string(meaning?.advice ?? ""),
                ])
        case .held(let wait): tellHeld(answer, meaning, again: wait)
        case .fellBack(let reason):
            log.info(
                "the receiver does not read remote write 2.0: it gets 1.0, and is asked again in an hour",
                ["reason": .string(reason.rawValue), "status": .int(answer.status)])
        case .split:
            log.throttled(
                .warning,
                "the receiver found a request too large: it is split, and requests become smaller by themselves",
                ["cap_bytes": .int(delivery.cap_bytes), "action": .string(meaning?.advice ?? "")])
        }
    }

    private static func answer(_ completion: Completion, at now: Timestamp) -> AnswerStatus {
        var answer = AnswerStatus()
        answer.at = now
        answer.took = completion.duration.inSeconds
        switch completion.outcome {
        case .response(let response):
            answer.status = response.status
            answer.text = ShipperRequests.words(of: response)
        case .failure(let failure): answer.text = failure.description
        }
        return answer
    }

    /// The meaning of an outcome. Nil if it is as it should be.
    private func meaning(
        of verdict: Delivery.Verdict, _ outcome: Completion.Outcome, at now: Timestamp
    ) -> ReceiverHint.Meaning? {
        switch (verdict, outcome) {
        case (.fellBack, _), (.rejected(0), _): nil
        case (.ambiguous, _): hint.ofAmbiguity
        case (.acceptedInPart, _): hint.ofMissing
        case (_, .failure(let failure)): hint.of(failure)
        case (.accepted, .response(let response)):
            ShipperRequests.isPage(response) ? hint.ofPage(response) : hint.ofAccepted(response)
        case (_, .response(let response)): hint.of(response, at: now)
        }
    }

    // MARK: Lines

    /// Logs the requests that have no answer for too long. Returns the time at which the next one is late; nil if there
    /// is none.
    func tellLateRequests() -> MonotonicTime? {
        let now = time.monotonic()
        var next: MonotonicTime?
        for index in inFlight.indices where !inFlight[index].isLate {
            let lateAt = inFlight[index].at + Delivery.Limits.late
            guard now >= lateAt else {
                next = min(next ?? lateAt, lateAt)
                continue
            }
            inFlight[index].isLate = true
            let meaning = hint.ofLateness
            receiver.note(lateness: meaning)
            log.throttled(
                .warning,
                """
                the receiver has not answered for 5 s: samples wait, and the oldest are lost when there is no room for \
                more
                """,
                [
                    "url": .text(settings.url), "cause": .string(meaning.text), "action": .string(meaning.advice),
                    "samples": .int(inFlight[index].samples),
                ])
        }
        return next
    }

    private func tellHeld(_ answer: AnswerStatus, _ meaning: ReceiverHint.Meaning?, again wait: Duration) {
        log.throttled(
            .error, by: meaning?.text ?? "",
            answer.status == 407
                ? "the proxy refused the credentials: samples wait, the oldest are lost when there is no room for more"
                : "the receiver refused the credentials: samples wait, the oldest are lost when there is no room for more",
            [
                "status": .int(answer.status), "answer": .string(answer.text), "again_ms": .milliseconds(wait),
                "settings": .string(meaning?.setting ?? ""), "cause": .string(meaning?.text ?? ""),
                "action": .string(meaning?.advice ?? ""),
            ])
    }

    private func tellWrongAddress(_ answer: AnswerStatus, _ meaning: ReceiverHint.Meaning) {
        log.throttled(
            .warning, every: SampleLosses.Limits.interval,
            "something that is no receiver of remote write takes the samples: they may be lost",
            [
                "status": .int(answer.status), "setting": .string(meaning.setting), "cause": .string(meaning.text),
                "action": .string(meaning.advice),
            ])
    }

    // MARK: The status

    /// Makes the status of this moment known.
    func publish() {
        let trouble = receiver.trouble
        // Nothing is asked of the disk any more, so the old fault says nothing about now.
        if !delivery.isSpooling && formerSpoolWait == nil { spoolFault = "" }
        published.update { content in
            content.status.take(delivery.statistics)
            content.status.state = receiver.state
            content.status.lastAnswer = lastAnswer
            content.status.waitingSince = inFlight.lazy.map(\.wall).min()
            content.status.cause = trouble?.text ?? ""
            content.status.action = trouble?.advice ?? ""
            content.status.setting = trouble?.setting ?? ""
            content.status.failures = receiver.failures
            content.status.lastLoss = lastLoss
            content.status.spool?.isReserveReached = isReserveReached
            content.status.spool?.error = spoolFault
            content.status.spool?.lasts = spoolLasts?.inSeconds
            content.oldest = delivery.statistics.oldestQueued
            content.series = table.groupCount
        }
    }
}
