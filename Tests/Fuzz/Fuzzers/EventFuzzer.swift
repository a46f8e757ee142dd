import LiveKit
import Wire

/// Bodies of webhooks: the seeds are those of `LiveKitTests`.
struct EventFuzzer: Fuzzer {
    static let name = "event"
    private let plain = EventDecoder()
    private let keyed = EventDecoder(metadataKey: "org_id")

    func run(_ bytes: [UInt8]) {
        let grammar = JSONGrammar.isObject(bytes, nesting: JSONReader.Limits.nesting_max)
        switch (decode(plain, bytes), decode(keyed, bytes)) {
        case (.success(let event), .success(var other)):
            require(grammar == true, "what is taken is one JSON object")
            check(event)
            require(other.room.metadataOrganization?.isEmpty != true, "an organization has an id")
            other.room.metadataOrganization = nil
            require(event == other, "the metadata's key changes nothing else")
        case (.failure(let fault), .failure(let other)):
            require(fault == other, "the metadata's key makes nothing fail")
            require((0...bytes.count).contains(fault.offset), "a fault is somewhere in the body")
            if grammar == nil { return }
            require(fault.reason != .nested_too_deeply, "only what is deep is too deep")
            require(fault.reason != .trailing_bytes || grammar == false, "nothing trails a whole object")
        default: refute("the metadata's key decides whether an event is taken")
        }
    }

    private func decode(_ decoder: EventDecoder, _ bytes: [UInt8]) -> Result<Event, DecodingFault> {
        Result { () throws(DecodingFault) in try decoder.decode(bytes.span) }
    }

    /// What the recorder relies on.
    private func check(_ event: Event) {
        let latest = EventDecoder.Limits.time_s_max
        require((0...latest).contains(event.createdAt), "an event's time is believable")
        require((0...latest).contains(event.room.creationTime_s), "a room's time is believable")
        require((0...(latest * 1_000)).contains(event.room.creationTime_ms), "a room's time is believable")
        let text_bytes_max = AgentJob.Limits.text_bytes_max
        if case .roomFinished = event.body {
        } else {
            require(event.endReason == nil, "only a room's end has its reason")
        }
        switch event.body {
        case .participantJoined(let one), .participantLeft(let one), .participantConnectionAborted(let one),
            .trackPublished(_, let one), .trackUnpublished(_, let one):
            require((0...latest).contains(one.joinedAt_s), "a participant's time is believable")
            require((0...(latest * 1_000)).contains(one.joinedAt_ms), "a participant's time is believable")
            require(one.agentName.utf8.count <= text_bytes_max, "a name's length is bounded")
        case .egressStarted(let job), .egressUpdated(let job), .egressEnded(let job):
            require(job.startedAt_ns >= 0 && job.endedAt_ns >= 0, "a job's times are believable")
            require(job.error.utf8.count <= EventDecoder.Limits.error_bytes_max, "an error's length is bounded")
            require(job.errorCode >= 0, "a code is a number like an HTTP status")
        case .ingressStarted(let job), .ingressEnded(let job):
            require(job.startedAt_ns >= 0 && job.endedAt_ns >= 0, "a stream's times are believable")
        case .agentJobPending(let job), .agentJobStarted(let job), .agentJobEnded(let job):
            require(min(job.startedAt_ns, job.endedAt_ns, job.updatedAt_ns) >= 0, "a job's times are believable")
            require(max(job.agentName.utf8.count, job.reason.utf8.count) <= text_bytes_max, "texts are bounded")
        case .roomStarted, .roomFinished, .other: break
        }
    }
}
