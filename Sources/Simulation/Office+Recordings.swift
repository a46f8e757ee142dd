import LiveKit
import Wire

/// Recording jobs start, become active, and end in every possible way.
extension Office {
    private static let requests: [Egress.RequestType] = [
        .room_composite, .room_composite, .room_composite, .participant, .track_composite, .track, .web, .template,
        .media,
    ]

    mutating func record(_ organization: Int) {
        let live = rooms(of: organization).filter { rooms[$0].isOpen && !rooms[$0].attendees.isEmpty }
        guard !live.isEmpty else { return }
        let room = random.pick(live)
        let request = random.pick(Self.requests)
        let dice = random.unit()
        if dice < 0.04 { return failAtOnce(room, request) }
        let job = RecordingJob(
            id: random.id("EG_"), room: room, roomSID: rooms[room].sid, requestType: request, startedAt: time(now),
            output: random.pick([.file, .file, .file, .segments, .streams]))
        jobs[job.id] = job
        rooms[room].jobs.append(job.id)
        say(
            .egressStarted, in: room, key: job.id, detail: .brief, .egress(message(job, .starting)),
            facts: [.recordingStarted(id: job.id, request)], restated: 0.02)
        if dice < 0.1 { return plan(after: 45_000, .stop(job: job.id, .aborted)) }
        let fails = dice < 0.16 || (size.guests == .all && guestRandom.happens(0.15))
        if fails { return plan(after: random.whole(2_000...90_000), .stop(job: job.id, .failed)) }
        let lasts = Int64(min(random.logNormal(median: Double(length) * 0.12, sigma: 0.8), Double(length) * 0.5))
        plan(after: random.whole(1_500...4_500), .activate(job: job.id))
        plan(after: max(10_000, lasts), .stop(job: job.id, dice > 0.93 ? .limitReached : .complete))
    }

    /// A job fails before it is made: it has no id, no times and no start.
    private mutating func failAtOnce(_ room: Int, _ request: Egress.RequestType) {
        let id = random.id("EV_")
        let egress = EgressMessage(
            id: "", roomSID: rooms[room].sid, roomName: rooms[room].name, requestType: request, status: .failed,
            error: "no response from servers")
        let recording = Fact.Recording(
            id: id, requestType: request, status: .failed, retryCount: 0, errorCode: 0, lasted_seconds: nil,
            size_bytes: 0, startedAt: nil, endedAt: nil, roomName: rooms[room].name)
        say(.egressEnded, in: room, detail: .brief, .egress(egress), facts: [.recordingEnded(recording)], id: id)
    }

    /// The recorder joins the room, and the medium begins.
    mutating func activate(_ id: String) {
        guard let job = jobs[id] else { return }
        let mediaFrom = time(now)
        jobs[id]?.mediaFrom = mediaFrom
        let place = rooms[job.room]
        if place.isOpen && !place.isDown && place.sid == job.roomSID {
            let sid = enter(job.room, id, "", .egress, until: 2 * length, person: nil)
            jobs[id]?.attendee = sid
        }
        guard let active = jobs[id] else { return }
        say(.egressUpdated, in: job.room, key: id, detail: .brief, .egress(message(active, .active)), facts: [])
    }

    mutating func stop(_ id: String, _ status: Egress.Status) {
        guard var job = jobs.removeValue(forKey: id) else { return }
        if size.guests == .all && status == .failed { job.errorCode = guestRandom.pick([0, 403, 404, 500, 503]) }
        rooms[job.room].jobs.removeAll { $0 == id }
        if let sid = job.attendee { leave(sid, because: .client_initiated) }
        if status == .complete && random.happens(0.5) {
            say(.egressUpdated, in: job.room, key: id, detail: .brief, .egress(message(job, .ending)), facts: [])
        }
        let egress = message(job, status)
        let recording = Fact.Recording(
            id: id, requestType: job.requestType, status: status, retryCount: job.retryCount,
            errorCode: egress.errorCode, lasted_seconds: lasted(egress),
            size_bytes: job.output == .streams ? 0 : egress.file?.size_bytes ?? 0,
            startedAt: job.startedAt, endedAt: time(now), roomName: rooms[job.room].name)
        say(
            .egressEnded, in: job.room, key: id, detail: .brief, .egress(egress),
            facts: [.recordingEnded(recording)], restated: 0.03)
        if size.guests == .all && status == .failed && job.retryCount == 0 && guestRandom.happens(0.7) {
            plan(after: 10_000, .retry(job: job))
        }
    }

    /// A failed job runs again under its id, if its room is still there.
    mutating func retry(_ failed: RecordingJob) {
        guard rooms[failed.room].isOpen, rooms[failed.room].sid == failed.roomSID else { return }
        let job = RecordingJob(
            id: failed.id, room: failed.room, roomSID: failed.roomSID, requestType: failed.requestType,
            startedAt: time(now), output: failed.output, mediaFrom: time(now), retryCount: failed.retryCount + 1)
        jobs[job.id] = job
        rooms[job.room].jobs.append(job.id)
        say(
            .egressUpdated, in: job.room, key: job.id, detail: .brief, .egress(message(job, .active)),
            facts: [.recordingRetried(id: job.id, job.requestType)])
        let lasts = guestRandom.uniform(0.01...0.1) * Double(length)
        plan(after: max(10_000, Int64(lasts)), .stop(job: job.id, guestRandom.happens(0.2) ? .failed : .complete))
    }

    /// The length of the medium, else of the job.
    private func lasted(_ egress: EgressMessage) -> Double? {
        if let file = egress.file, file.duration_ns > 0 { return Double(file.duration_ns) / 1e9 }
        guard let from = egress.startedAt, let to = egress.endedAt else { return nil }
        return to.since(from).inSeconds
    }

    private func message(_ job: RecordingJob, _ status: Egress.Status) -> EgressMessage {
        var egress = EgressMessage(
            id: job.id, roomSID: job.roomSID, roomName: rooms[job.room].name, requestType: job.requestType,
            status: status, startedAt: job.startedAt, updatedAt: time(now), output: job.output)
        egress.retryCount = job.retryCount
        if status.isFinal { egress.endedAt = time(now) }
        if let from = job.mediaFrom, status != .failed, status != .aborted {
            let to = status.isFinal ? Timestamp(milliseconds: max(from.milliseconds + 1, now(minus: 800))) : nil
            let size = (to ?? from).since(from).milliseconds * 130
            egress.file = EgressMessage.File(startedAt: from, endedAt: to, size_bytes: size)
        }
        switch status {
        case .failed:
            (egress.error, egress.errorCode) = ("upload failed", job.errorCode)
            egress.details = "End reason: Failure"
        case .aborted:
            (egress.error, egress.errorCode) = ("Start signal not received", 412)
            egress.details = "End reason: Source closed"
        case .limitReached:
            (egress.error, egress.errorCode) = ("Session limit reached", 413)
            egress.details = "End reason: Session limit reached"
        case .complete, .ending: egress.details = "End reason: StopEgress API"
        case .starting, .active, .other: break
        }
        return egress
    }

    private func now(minus milliseconds: Int64) -> Int64 { time(now).milliseconds - milliseconds }
}
