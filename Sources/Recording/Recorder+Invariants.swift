import LiveKit
import Metrics
import Storage

extension Recorder {
    /// Checks the state: computes every gauge from scratch and follows every link both ways. Returns the violations.
    ///
    /// It is for tests, and the result must always be empty. It costs as much as everything that is open.
    package func checkInvariants() -> [String] {
        checkGauges() + checkLinks() + checkNames() + checkMemory() + checkSessions() + checkUsage()
    }

    private func checkGauges() -> [String] {
        var faults: [String] = []
        let width = catalog.layout.organization.gauges
        var sizes: [Slot<OrganizationState>: [Int]] = [:]
        var entities: [Slot<OrganizationState>: Int] = [:]
        func add(_ metric: Metric<Gauge>, _ offset: Int, to slot: Slot<OrganizationState>) {
            sizes[slot, default: [Int](repeating: 0, count: width)][metric.base + offset] += 1
        }
        for (_, room) in rooms.all {
            add(catalog.roomsActive, 0, to: room.organization)
            entities[room.organization, default: 0] += 1
        }
        for (_, participant) in participants.all where participant.isActive {
            add(catalog.participantsActive, 0, to: rooms[participant.room].organization)
        }
        for (slot, track) in tracks.all { add(catalog.tracksActive, track.label, to: organization(of: slot)) }
        for kind in JobKind.allCases {
            for (_, job) in self[jobs: kind].all {
                if let metric = catalog.jobsActive(kind) { add(metric, job.label, to: job.organization) }
                entities[job.organization, default: 0] += 1
            }
        }
        for (slot, organization) in organizations.all {
            let expected = sizes[slot] ?? [Int](repeating: 0, count: width)
            if organization.open != expected { faults.append("\(organization.key): sets are \(organization.open)") }
            if organization.entities != entities[slot] ?? 0 { faults.append("\(organization.key): wrong entities") }
            for (place, size) in expected.enumerated() where size > 0 {
                guard let gauge = organization.series.gauges[place] else { continue }
                if gauge.value != Double(size) { faults.append("\(organization.key): gauge \(place) is wrong") }
            }
        }
        return faults
    }

    private func checkLinks() -> [String] {
        var faults: [String] = []
        for (slot, room) in rooms.all {
            for (place, member) in room.participants.enumerated() {
                let participant = participants[member]
                if participant.room != slot || participant.placeInRoom != place {
                    faults.append("\(room.key): member \(participant.key) is elsewhere")
                }
            }
        }
        for (slot, participant) in participants.all {
            if !rooms[participant.room].participants.contains(slot) { faults.append("\(participant.key): no room") }
            for (place, track) in participant.tracks.enumerated() {
                if tracks[track].participant != slot || tracks[track].placeInParticipant != place {
                    faults.append("\(participant.key): track \(tracks[track].key) is elsewhere")
                }
            }
            if !participant.hasJoined && participant.tracks.isEmpty { faults.append("\(participant.key): is nothing") }
            let identity = ParticipantIdentity(room: participant.room, identity: participant.identity)
            if participant.hasJoined && !participant.identity.isEmpty && identities[identity] != slot {
                faults.append("\(participant.key): its identity is another's")
            }
        }
        for (slot, track) in tracks.all where !participants[track.participant].tracks.contains(slot) {
            faults.append("\(track.key): no participant")
        }
        if identities.values.contains(where: { participants[$0].key.isEmpty }) {
            faults.append("an identity of nobody")
        }
        return faults
    }

    private func checkNames() -> [String] {
        var faults: [String] = []
        var references: [Slot<OrganizationState>: Int] = [:]
        for (slot, name) in names.all {
            for room in name.rooms where rooms[room].name != slot { faults.append("\(name.key): a room too many") }
            if case .known(let organization) = name.resolution {
                references[organization, default: 0] += 1
                let strays = name.rooms.contains { rooms[$0].organization != organization }
                if strays { faults.append("\(name.key): a room of another organization") }
            }
            if !fixed.isNone && !name.isOpen && name.resolution != .waiting {
                faults.append("\(name.key): kept for nothing")
            }
        }
        for (slot, organization) in organizations.all where organization.names != references[slot] ?? 0 {
            faults.append("\(organization.key): wrong number of names")
        }
        for (slot, room) in rooms.all where !room.name.isNone && !names[room.name].rooms.contains(slot) {
            faults.append("\(room.key): not under its name")
        }
        for kind in JobKind.allCases {
            for (slot, job) in self[jobs: kind].all where !job.name.isNone {
                if !names[job.name][jobs: kind].contains(slot) { faults.append("\(job.key): not under its name") }
            }
        }
        if waiting.count > settings.waitingEvents { faults.append("\(waiting.count) events wait") }
        return faults
    }

    /// Checks that every open entity began at or after the end of its life before, and that nothing is open that was
    /// given up.
    private func checkMemory() -> [String] {
        var faults: [String] = []
        func check(_ key: String, _ began_s: Int64, _ ending: Ending?) {
            guard let ending, ending.facts.isClosed else { return }
            if began_s < ending.at_s || ending.facts.isGivenUp || !tellsLives {
                faults.append("\(key): open and closed")
            }
        }
        for (_, room) in rooms.all { check(room.key, room.began_s, endedRooms[ending: Fingerprint(room.key)]) }
        for (_, member) in participants.all where member.isLaterLife {
            check(member.key, member.began_s, endedParticipants[ending: Fingerprint(member.key)])
        }
        for (_, track) in tracks.all where track.version == nil && !track.hasReturned {
            check(track.key, track.began_s, endedTracks[ending: Fingerprint(track.key)])
        }
        for (_, job) in ingress.all where endedIngress[Fingerprint(job.key)]?.isClosed == true {
            faults.append("\(job.key): open and closed")
        }
        return faults
    }
}
