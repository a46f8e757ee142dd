import LiveKit

/// Reads lists from a state, as the server API shows them.
struct ServedReader {
    let state: ServedState
    let lies: Set<APILie>
    /// Returns true for the name of a job that an API that lies shows as active after its end.
    let isOrphan: (String) -> Bool

    /// Returns the elements of a list as JSON, in order of their names or ids; nil if the room does not exist.
    func items(of call: APICall, _ request: APIRequest) -> [[UInt8]]? {
        switch call {
        case .listRooms: rooms(request).map(room)
        case .listParticipants: room(named: request.room).map(participants)
        case .listEgress:
            jobs(request).map { job in ProtoJSON.message(.api) { job.message.write(to: &$0, shift: job.shift) } }
        case .listIngress:
            streams(request).map { stream in
                ProtoJSON.message(.api) { stream.message.write(to: &$0, shift: stream.shift) }
            }
        }
    }

    // MARK: Rooms

    private func room(named name: String) -> ServedRoom? {
        state.rooms[name] ?? (lies.contains(.ghostRooms) ? state.ghosts[name] : nil)
    }

    private func rooms(_ request: APIRequest) -> [ServedRoom] {
        guard request.names.isEmpty else { return request.names.compactMap { room(named: $0) } }
        let ghosts = lies.contains(.ghostRooms) ? Array(state.ghosts.values) : []
        return (Array(state.rooms.values) + ghosts).sorted { $0.name < $1.name }
    }

    private func room(_ room: ServedRoom) -> [UInt8] {
        let members = members(of: room)
        let count = lies.contains(.staleCount) ? room.staleCount : members.count(where: \.isCounted)
        let details = RoomMessage.FullRoom(
            createdAt: room.createdAt, organization: room.organization, participants: count,
            publishers: members.count { !$0.tracks.isEmpty }, isRecorded: members.contains { $0.kind == .egress })
        let message = RoomMessage(sid: room.sid, name: room.name, detail: .full(details))
        return ProtoJSON.message(.api) { message.write(to: &$0, shift: room.shift) }
    }

    private func members(of room: ServedRoom) -> [ServedRoom.Member] {
        let vanished = lies.contains(.ghostRooms) ? Array(room.vanished.values) : []
        return Array(room.members.values) + vanished
    }

    private func participants(_ room: ServedRoom) -> [[UInt8]] {
        let shown = members(of: room).filter { !lies.contains(.missingRejoined) || !$0.isRejoined }
        return shown.sorted { $0.told.message.sid < $1.told.message.sid }.map { member in
            var message = member.told.message
            message.tracks = member.tracks
            if case .full(var details) = message.detail {
                details.isPublisher = !member.tracks.isEmpty
                message.detail = .full(details)
            }
            return ProtoJSON.message(.api) { message.write(to: &$0, shift: member.told.shift) }
        }
    }

    // MARK: Jobs

    private func jobs(_ request: APIRequest) -> [Told<EgressMessage>] {
        if !request.egressID.isEmpty { return state.jobs[request.egressID].map { [shown($0)] } ?? [] }
        return state.jobs.values.map(shown)
            .filter { !request.isActiveOnly || !$0.message.status.isFinal }
            .filter { request.roomName.isEmpty || $0.message.roomName == request.roomName }
            .sorted { $0.message.id < $1.message.id }
    }

    private func shown(_ job: ServedState.Job) -> Told<EgressMessage> {
        guard lies.contains(.orphanedEgress), job.told.message.status.isFinal, let active = job.active,
            isOrphan(active.message.id)
        else { return job.told }
        return active
    }

    private func streams(_ request: APIRequest) -> [Told<IngressMessage>] {
        state.streams.values.filter { request.roomName.isEmpty || $0.message.roomName == request.roomName }
            .filter { request.ingressID.isEmpty || $0.message.id == request.ingressID }
            .sorted { $0.message.id < $1.message.id }
    }
}
