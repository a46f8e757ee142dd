import LiveKit
import Testing
import Wire

@Suite struct AgentJobTests {
    @Test(arguments: ["pending", "started", "ended"])
    func `each event of a job is decoded in the same way`(name: String) throws {
        let event = try Self.event(
            name,
            #"""
            "id":"AJ_1","agentName":"notes","dispatchId":"AD_1","state":{"status":"JS_RUNNING","startedAt":"5",
            "endedAt":"6","updatedAt":"7","error":"no","workerId":"AW"}
            """#)
        let job = AgentJob(
            id: "AJ_1", agentName: "notes", status: .running, startedAt_ns: 5, endedAt_ns: 6, updatedAt_ns: 7)
        switch (name, event.body) {
        case ("pending", .agentJobPending(job)), ("started", .agentJobStarted(job)), ("ended", .agentJobEnded(job)):
            break
        default: Issue.record("\(event.body)")
        }
    }

    @Test func `what is absent or null is zero`() throws {
        let members = [
            "", #""id":null,"agentName":null,"state":null,"room":null"#, #""state":{}"#,
            #""state":{"status":null,"reason":null,"startedAt":null,"endedAt":null,"updatedAt":null}"#,
        ]
        for member in members { #expect(try Self.job(member) == AgentJob()) }
        #expect(try EventDecoder().decode(#"{"event":"agent_job_ended"}"#) == Event(body: .agentJobEnded(AgentJob())))
    }

    @Test(arguments: [
        (#""JS_PENDING""#, AgentJob.Status.pending), (#""JS_RUNNING""#, .running), (#""JS_SUCCESS""#, .success),
        (#""JS_FAILED""#, .failed), (#""JS_CANCELLED""#, .cancelled), (#""JS_CANCELED""#, .cancelled), ("0", .pending),
        ("1", .running), ("2", .success), ("3", .failed), ("4", .cancelled), ("5", .other), ("-1", .other),
        (#""JS_RETIRED""#, .other), (#""success""#, .other), (#""""#, .other),
    ])
    func `a status goes by name and number, and a strange one is other`(json: String, status: AgentJob.Status) throws {
        #expect(try Self.job(#""state":{"status":\#(json)}"#).status == status)
    }

    @Test(arguments: [
        (#""JSR_NO_CAPACITY""#, "no_capacity"), (#""JSR_WORKER_2_LOST""#, "worker_2_lost"),
        (#""NO_CAPACITY""#, "no_capacity"), (#""JSR_UNKNOWN""#, ""), (#""UNKNOWN""#, ""), (#""""#, ""), ("3", ""),
        ("null", ""), ("{}", ""), ("[1]", ""), ("true", ""), (#""it was full""#, ""), (#""jsr_no_capacity""#, ""),
        (#""JSR_\u00c9TAGE""#, ""),
    ])
    func `a reason is a name of LiveKit in lower case, and a number or another text is none`(
        json: String, reason: String
    ) throws {
        #expect(try Self.job(#""state":{"reason":\#(json),"status":3}"#) == AgentJob(status: .failed, reason: reason))
    }

    @Test func `the lengths of name and reason are bounded`() throws {
        let limit = AgentJob.Limits.text_bytes_max
        let name = String(repeating: "ü", count: limit)
        #expect(try Self.job(#""agentName":"\#(name)""#).agentName == String(name.prefix(limit / 2)))
        let longest = String(repeating: "A", count: limit)
        #expect(try Self.job(#""state":{"reason":"\#(longest)"}"#).reason == longest.lowercased())
        #expect(try Self.job(#""state":{"reason":"\#(longest)A"}"#).reason.isEmpty)
    }

    @Test func `the room of a job is the room of the event, with its organization`() throws {
        let room = #"{"sid":"RM_1","name":"one","creationTimeMs":"8","metadata":"{\"org_id\":\"acme\"}"}"#
        let decoder = EventDecoder(metadataKey: "org_id")
        let inner = try decoder.decode(#"{"event":"agent_job_started","job":{"id":"AJ","room":\#(room)}}"#)
        #expect(
            inner.room == Room(sid: "RM_1", name: "one", creationTime_ms: 8, metadataOrganization: "acme"))
        let other = #"{"sid":"RM_2","name":"two"}"#
        for text in [#""job":{"room":\#(other)},"room":\#(room)"#, #""room":\#(room),"job":{"room":\#(other)}"#] {
            #expect(try decoder.decode(#"{"event":"agent_job_ended",\#(text)}"#).room == inner.room)
        }
        #expect(try Self.event("ended", #""room":\#(room)"#).room.metadataOrganization == nil)
    }

    @Test(arguments: [
        #""id":5"#, #""agentName":{}"#, #""room":5"#, #""room":{"sid":5}"#, #""state":"x""#, #""state":{"status":{}}"#,
        #""state":{"startedAt":true}"#, #""state":{"endedAt":"x"}"#,
    ])
    func `a field that matters with a value of another type is a fault`(member: String) {
        #expect(throws: DecodingFault.self) { try Self.event("ended", member) }
    }

    @Test(arguments: [#""dispatchId":5"#, #""participant":7"#, #""type":{}"#, #""state":{"error":[],"workerId":5}"#])
    func `what nobody needs of a job may be anything`(member: String) throws {
        #expect(try Self.job(member) == AgentJob())
    }

    private static func event(_ name: String, _ members: String) throws(DecodingFault) -> Event {
        try EventDecoder().decode(#"{"event":"agent_job_\#(name)","job":{\#(members)}}"#)
    }

    private static func job(_ members: String) throws -> AgentJob {
        guard case .agentJobEnded(let job) = try event("ended", members).body else {
            Issue.record("it is another event")
            return AgentJob()
        }
        return job
    }
}
