import LiveKit
import Wire

/// Streams from outside enter rooms.
extension Office {
    mutating func startStream(_ organization: Int) {
        let choice = rooms(of: organization)
        guard !choice.isEmpty else { return }
        let room = choice[random.favourite(of: choice.count)]
        let inputType = random.pick([Ingress.InputType.rtmp, .whip, .url])
        let prefix =
            switch inputType {
            case .whip: "WH_"
            case .url: "UR_"
            case .rtmp, .unknown: "RT_"
            }
        let id = random.id("IN_")
        let resourceID = random.id(prefix)
        let startedAt = time(now - random.whole(500...3_000))
        if random.happens(0.15) { return failStream(room, id, resourceID, inputType, startedAt) }
        open(room)
        let until = now + Int64(random.uniform(0.05...0.4) * Double(length))
        let attendee = enter(room, "ingress-\(id.suffix(4))", "Studio", .ingress, until: 2 * length, person: nil)
        let job = IngressJob(
            id: id, resourceID: resourceID, room: room, roomSID: rooms[room].sid, inputType: inputType,
            startedAt: startedAt, attendee: attendee)
        streams[id] = job
        plan(after: 300, .publish(attendee: attendee, .camera))
        plan(after: until - now, .endStream(id: id))
        say(
            .ingressStarted, in: room, key: id, detail: .nameOnly, .ingress(message(job, .publishing)),
            facts: [.streamStarted(id: resourceID, inputType)])
    }

    /// The source does not exist: the stream ends without a start, and nobody joins the room.
    private mutating func failStream(
        _ room: Int, _ id: String, _ resourceID: String, _ inputType: Ingress.InputType, _ startedAt: Timestamp
    ) {
        let job = IngressJob(
            id: id, resourceID: resourceID, room: room, roomSID: "", inputType: inputType, startedAt: startedAt,
            attendee: "")
        say(
            .ingressEnded, in: room, key: id, detail: .nameOnly,
            .ingress(message(job, .failed("HTTP request failed with code 404"))),
            facts: [
                .streamEnded(
                    id: resourceID, inputType, hasFailed: true, lasted_seconds: time(now).since(startedAt).inSeconds)
            ])
    }

    mutating func endStream(_ id: String) {
        guard let job = streams[id] else { return }
        // While the room is down its participant is nowhere. The stream ends when the room is back.
        if rooms[job.room].isDown { return plan(after: 10_000, .endStream(id: id)) }
        streams[id] = nil
        leave(job.attendee, because: .client_initiated)
        let lasted = time(now).since(job.startedAt).inSeconds
        say(
            .ingressEnded, in: job.room, key: id, detail: .nameOnly, .ingress(message(job, .ended)),
            facts: [
                .streamEnded(id: job.resourceID, job.inputType, hasFailed: false, lasted_seconds: lasted)
            ])
    }

    private func message(_ job: IngressJob, _ state: IngressMessage.State) -> IngressMessage {
        var endedAt: Timestamp?
        if case .publishing = state {} else { endedAt = time(now) }
        return IngressMessage(
            id: job.id, resourceID: job.resourceID, inputType: job.inputType, roomSID: job.roomSID,
            roomName: rooms[job.room].name, state: state, startedAt: job.startedAt, endedAt: endedAt,
            updatedAt: time(now))
    }
}

extension IngressJob {
    /// The same job after its participant came back under another SID.
    func with(attendee: String) -> IngressJob {
        IngressJob(
            id: id, resourceID: resourceID, room: room, roomSID: roomSID, inputType: inputType, startedAt: startedAt,
            attendee: attendee)
    }
}
