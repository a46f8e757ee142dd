package import Wire

/// One webhook event, with only the fields that the recorder uses.
/// https://github.com/livekit/protocol/blob/main/protobufs/livekit_webhook.proto
package struct Event: Sendable, Equatable {
    /// Unique for each event; a retry repeats it. Empty if the sender gave none.
    package var id: String
    /// The time at which LiveKit queued the event, in whole Unix seconds; 0 if absent.
    package var createdAt: Int64
    /// The room that the event belongs to. Name and SID are empty if unknown.
    package var room: Room
    /// `roomEndReason` of a `room_finished`; nil if the server tells none.
    package var endReason: RoomEndReason?
    package var body: Body

    package init(
        id: String = "", createdAt: Int64 = 0, room: Room = Room(), endReason: RoomEndReason? = nil, body: Body
    ) {
        self.id = id
        self.createdAt = createdAt
        self.room = room
        self.endReason = endReason
        self.body = body
    }
}

/// A room as events carry it: complete in `room_` and `participant_` events, only SID and name in others, only the name
/// in `ingress_` events.
package struct Room: Sendable, Equatable {
    package var sid: String
    package var name: String
    /// `creationTimeMs`, in Unix milliseconds; 0 if absent.
    package var creationTime_ms: Int64
    /// `creationTime`, in Unix seconds; 0 if absent.
    package var creationTime_s: Int64
    /// The organization that the room's metadata names; nil if the decoder was given no key, or the event has no such
    /// value.
    package var metadataOrganization: String?

    package init(
        sid: String = "", name: String = "", creationTime_ms: Int64 = 0, creationTime_s: Int64 = 0,
        metadataOrganization: String? = nil
    ) {
        self.sid = sid
        self.name = name
        self.creationTime_ms = creationTime_ms
        self.creationTime_s = creationTime_s
        self.metadataOrganization = metadataOrganization
    }

    /// `creationTimeMs`, else `creationTime`; nil if the payload has neither.
    package var createdAt: Timestamp? {
        if creationTime_ms > 0 { return Timestamp(milliseconds: creationTime_ms) }
        return creationTime_s > 0 ? Timestamp(seconds: creationTime_s) : nil
    }
}

/// A participant. Track events carry only SID and identity, so they give no kind.
package struct Participant: Sendable, Equatable {
    /// `ParticipantInfo.Kind`. A value that this program does not know is `.other`.
    package enum Kind: Int32, Sendable, CaseIterable {
        case standard = 0
        case ingress = 1
        case egress = 2
        case sip = 3
        case agent = 4
        case connector = 7
        case bridge = 8
        case other = -1

        /// LiveKit counts it in `num_participants`: it is neither an agent nor a recorder.
        package var isCounted: Bool { self != .agent && self != .egress }
    }

    package var sid: String
    package var identity: String
    package var kind: Kind
    /// `joinedAtMs`, in Unix milliseconds; 0 if absent.
    package var joinedAt_ms: Int64
    /// `joinedAt`, in Unix seconds; 0 if absent.
    package var joinedAt_s: Int64
    /// `disconnectReason` of a participant that left; `.unknown` if absent.
    package var reason: DisconnectReason
    /// The attribute `lk.agent.name` of an agent; empty if absent.
    package var agentName: String
    /// The direction of the call that a SIP participant is, by its attributes.
    package var direction: CallDirection

    package init(
        sid: String = "", identity: String = "", kind: Kind = .standard, joinedAt_ms: Int64 = 0, joinedAt_s: Int64 = 0,
        reason: DisconnectReason = .unknown, agentName: String = "", direction: CallDirection = .unknown
    ) {
        self.sid = sid
        self.identity = identity
        self.kind = kind
        self.joinedAt_ms = joinedAt_ms
        self.joinedAt_s = joinedAt_s
        self.reason = reason
        self.agentName = agentName
        self.direction = direction
    }

    /// `joinedAtMs`, else `joinedAt`; nil if the payload has neither.
    package var joinedAt: Timestamp? {
        if joinedAt_ms > 0 { return Timestamp(milliseconds: joinedAt_ms) }
        return joinedAt_s > 0 ? Timestamp(seconds: joinedAt_s) : nil
    }
}

/// A published track.
package struct Track: Sendable, Equatable {
    /// `TrackSource`; the raw value is the label value.
    package enum Source: String, Sendable, CaseIterable {
        case camera, microphone, screen_share, screen_share_audio, unknown
    }

    /// `TrackType`; the raw value is the label value. DATA and unknown numbers are `unknown`.
    package enum Medium: String, Sendable, CaseIterable {
        case audio, video, unknown
    }

    package var sid: String
    package var source: Source
    package var type: Medium
    /// The version of the track's last change; nil if the payload has none.
    package var version: TrackVersion?

    package init(
        sid: String = "", source: Source = .unknown, type: Medium = .audio, version: TrackVersion? = nil
    ) {
        self.sid = sid
        self.source = source
        self.type = type
        self.version = version
    }
}

/// A recording or streaming job (`EgressInfo`).
package struct Egress: Sendable, Equatable {
    /// The kind of recording; the raw value is the label value. The unified `egress` and `replay` requests count as
    /// their source: `template`, `web` and `media`, a replay as `replay`.
    package enum RequestType: String, Sendable, CaseIterable {
        case room_composite, web, track, participant, track_composite, template, media, replay, unknown
    }

    /// `EgressStatus`.
    package enum Status: Int32, Sendable, CaseIterable {
        case starting = 0
        case active = 1
        case ending = 2
        case complete = 3
        case failed = 4
        case aborted = 5
        case limitReached = 6
        case other = -1

        /// The status is final: the job does not change any more.
        package var isFinal: Bool {
            switch self {
            case .complete, .failed, .aborted, .limitReached: true
            case .starting, .active, .ending, .other: false
            }
        }
    }

    /// Empty for a job that failed before it was made.
    package var id: String
    package var requestType: RequestType
    package var status: Status
    /// In Unix nanoseconds; 0 if absent.
    package var startedAt_ns: Int64
    /// In Unix nanoseconds; 0 if absent.
    package var endedAt_ns: Int64
    package var retryCount: Int64
    /// Nanoseconds of media: those of the first file, else the larger of segments and streams; 0 if there are none.
    package var media_ns: Int64
    /// The size of the first file, else of all segments; 0 if there are none.
    package var size_bytes: Int64
    /// The location of the first file, playlist or stream; empty if unknown.
    package var location: String
    /// LiveKit's message about the failure; empty if there was none. It may hold names: it goes to the database, never
    /// to a log.
    package var error: String
    /// `errorCode`, a number like an HTTP status; 0 if absent.
    package var errorCode: Int64

    package init(
        id: String = "", requestType: RequestType = .unknown, status: Status = .starting, startedAt_ns: Int64 = 0,
        endedAt_ns: Int64 = 0, retryCount: Int64 = 0, media_ns: Int64 = 0, size_bytes: Int64 = 0,
        location: String = "", error: String = "", errorCode: Int64 = 0
    ) {
        self.id = id
        self.requestType = requestType
        self.status = status
        self.startedAt_ns = startedAt_ns
        self.endedAt_ns = endedAt_ns
        self.retryCount = retryCount
        self.media_ns = media_ns
        self.size_bytes = size_bytes
        self.location = location
        self.error = error
        self.errorCode = errorCode
    }
}

/// A stream that is imported into a room (`IngressInfo` and its `IngressState`).
package struct Ingress: Sendable, Equatable {
    /// `IngressInput`; the raw value is the label value.
    package enum InputType: String, Sendable, CaseIterable {
        case rtmp, whip, url, unknown
    }

    package var id: String
    /// `state.resourceId`: one for each run of a reusable ingress; empty if absent.
    package var resourceID: String
    package var inputType: InputType
    /// In Unix nanoseconds; 0 if absent.
    package var startedAt_ns: Int64
    /// In Unix nanoseconds; 0 if absent.
    package var endedAt_ns: Int64
    /// `state.error` is set, or the status is ENDPOINT_ERROR.
    package var hasFailed: Bool

    package init(
        id: String = "", resourceID: String = "", inputType: InputType = .rtmp, startedAt_ns: Int64 = 0,
        endedAt_ns: Int64 = 0, hasFailed: Bool = false
    ) {
        self.id = id
        self.resourceID = resourceID
        self.inputType = inputType
        self.startedAt_ns = startedAt_ns
        self.endedAt_ns = endedAt_ns
        self.hasFailed = hasFailed
    }
}
