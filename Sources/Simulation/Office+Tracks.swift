import LiveKit
import Wire

/// Cameras, microphones and screens are switched on and off.
extension Office {
    /// Plans the tracks that a participant publishes in a stay of so many milliseconds.
    mutating func planTracks(of sid: String, stay: Double) {
        plan(after: random.whole(300...5_000), .publish(attendee: sid, .microphone))
        if random.happens(0.65) { plan(after: random.whole(500...9_000), .publish(attendee: sid, .camera)) }
        if random.happens(0.12) {
            let at = Int64(random.uniform(0.1...0.7) * stay)
            plan(after: at, .publish(attendee: sid, .screen_share))
            if random.happens(0.4) { plan(after: at + 30, .publish(attendee: sid, .screen_share_audio)) }
        }
        // A long mute unpublishes the track; the unmute publishes a new one.
        for source in [Track.Source.camera, .microphone, .microphone] where random.happens(0.5) {
            plan(after: Int64(random.uniform(0.1...0.9) * stay), .toggle(attendee: sid, source))
        }
    }

    mutating func publish(_ sid: String, _ source: Track.Source) {
        guard let attendee = attendees[sid], !attendee.tracks.contains(where: { $0.source == source }) else { return }
        let prefix =
            switch source {
            case .camera: "TR_VC"
            case .microphone: "TR_AM"
            case .screen_share: "TR_VS"
            case .screen_share_audio: "TR_AS"
            case .unknown: "TR_VU"
            }
        let track = Attendee.OwnTrack(sid: random.id(prefix), source: source)
        attendees[sid]?.tracks.append(track)
        // In an office that stops while it is open, a late event would make the track seem to be still there.
        say(
            .trackPublished, in: attendee.room, detail: .brief, subject(track, of: attendee),
            facts: [.published(sid: track.sid, source: source, by: sid)], mayBeLate: size.ending == .clean,
            restated: Self.restatement)
    }

    mutating func unpublish(_ track: Attendee.OwnTrack, of attendee: Attendee) {
        guard let index = attendees[attendee.sid]?.tracks.firstIndex(where: { $0.sid == track.sid }) else { return }
        attendees[attendee.sid]?.tracks.remove(at: index)
        say(
            .trackUnpublished, in: attendee.room, detail: .brief, subject(track, of: attendee),
            facts: [.unpublished(sid: track.sid)], mayBeLate: true, restated: Self.restatement)
    }

    mutating func toggle(_ sid: String, _ source: Track.Source) {
        guard let attendee = attendees[sid] else { return }
        if let track = attendee.tracks.first(where: { $0.source == source }) {
            unpublish(track, of: attendee)
        } else {
            publish(sid, source)
        }
    }

    private func subject(_ track: Attendee.OwnTrack, of attendee: Attendee) -> WebhookMessage.Subject {
        .track(
            TrackMessage(sid: track.sid, source: track.source, changedAt: time(now)),
            by: ParticipantMessage(sid: attendee.sid, identity: attendee.identity, detail: .brief))
    }
}
