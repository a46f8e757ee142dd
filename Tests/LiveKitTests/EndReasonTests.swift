import LiveKit
import Testing
import Wire

/// Reasons of ends, names of agents and directions of calls: what usage is told by.
@Suite struct EndReasonTests {
    // MARK: Participants

    @Test(arguments: Array(DisconnectReason.allCases.enumerated()))
    func `a participant's reason goes by LiveKit's name and number`(number: Int, reason: DisconnectReason) throws {
        let name = reason == .unknown ? "UNKNOWN_REASON" : reason.rawValue.uppercased()
        for json in [#""\#(name)""#, "\(number)"] {
            for event in ["participant_left", "participant_connection_aborted"] {
                let participant = try Self.participant(#""disconnectReason":\#(json)"#, of: event)
                #expect(participant == Participant(reason: reason))
            }
        }
    }

    @Test(arguments: ["17", "-1", #""MOON_PHASE""#, #""client_initiated""#, #""""#, "null", "1.5"])
    func `a reason that is not known is unknown`(json: String) throws {
        #expect(try Self.participant(#""disconnectReason":\#(json)"#).reason == .unknown)
    }

    @Test func `a reason of another type is a fault`() {
        for json in ["{}", "[]", "true"] {
            #expect(throws: DecodingFault.self) { try Self.participant(#""disconnectReason":\#(json)"#) }
        }
    }

    // MARK: Attributes

    @Test(arguments: [
        (#"{"sip.callID":"SCL","sip.ruleID":"SDR"}"#, CallDirection.inbound),
        (#"{"sip.ruleID":"SDR","sip.callID":"SCL","sip.phoneNumber":"+4930123456"}"#, .inbound),
        (#"{"sip.ruleID":"SDR"}"#, .inbound), (#"{"sip.callID":"SCL"}"#, .outbound),
        (#"{"sip.callID":"SCL","sip.ruleID":""}"#, .outbound), (#"{"sip.callID":""}"#, .unknown), ("{}", .unknown),
        ("null", .unknown), (#"{"sip.phoneNumber":"+4930123456"}"#, .unknown), (#"{"SIP.CALLID":"x"}"#, .unknown),
        (#"{"sip.callID":"SCL","sip.ruleID":null}"#, .outbound),
    ])
    func `a call with a rule comes in, and another one goes out`(json: String, direction: CallDirection) throws {
        #expect(try Self.participant(#""attributes":\#(json)"#) == Participant(direction: direction))
    }

    @Test func `an agent tells its name as an attribute`() throws {
        let agent = try Self.participant(#""kind":"AGENT","attributes":{"a":"b","lk.agent.name":"notes"}"#)
        #expect(agent == Participant(kind: .agent, agentName: "notes"))
        let limit = AgentJob.Limits.text_bytes_max
        let long = try Self.participant(#""attributes":{"lk.agent.name":"\#(String(repeating: "n", count: 999))"}"#)
        #expect(long.agentName.utf8.count == limit)
    }

    @Test(arguments: [
        #"{"sip.callID":5}"#, #"{"sip.callID":"SCL","sip.ruleID":{}}"#, #"{"lk.agent.name":[]}"#, "[]", "5", #""x""#,
        "true", #"{"sip.ruleID":true,"lk.agent.name":"notes"}"#, #"{"team":7}"#,
    ])
    func `attributes that are no text are no fault, and tell nothing`(json: String) throws {
        let members = #""attributes":\#(json),"sid":"PA_1""#
        #expect(try Self.participant(members) == Participant(sid: "PA_1"))
    }

    @Test func `attributes that are no JSON are a fault`() {
        for json in ["{", #"{"a":}"#, #"{"a":nil}"#] {
            #expect(throws: DecodingFault.self) { try Self.participant(#""attributes":\#(json)"#) }
        }
    }

    // MARK: Rooms

    @Test(arguments: Array(RoomEndReason.allCases.enumerated()))
    func `the reason of a room's end goes by LiveKit's name and number`(number: Int, reason: RoomEndReason) throws {
        for json in [#""ROOM_END_\#(reason.rawValue.uppercased())""#, "\(number)"] {
            #expect(try Self.roomEnd(#""roomEndReason":\#(json)"#) == Event(endReason: reason, body: .roomFinished))
            #expect(try Self.roomEnd(#""room_end_reason":\#(json)"#).endReason == reason)
        }
    }

    @Test func `a room's end without a reason is told from one with a reason that is not known`() throws {
        #expect(try EventDecoder().decode(#"{"event":"room_finished"}"#).endReason == nil)
        for json in ["99", #""ROOM_END_FLOOD""#, #""IDLE_TIMEOUT""#] {
            #expect(try Self.roomEnd(#""roomEndReason":\#(json)"#).endReason == .unknown)
        }
    }

    @Test func `only the end of a room has such a reason`() throws {
        let started = #"{"event":"room_started","roomEndReason":"ROOM_END_SUPERSEDED"}"#
        #expect(try EventDecoder().decode(started) == Event(body: .roomStarted))
    }

    // MARK: Recordings

    @Test(arguments: [
        ("403", Int64(403)), (#""403""#, 403), ("0", 0), ("null", 0), ("-7", 0), ("99999999999", 99_999_999_999),
    ])
    func `the error code of a recording is a number`(json: String, code: Int64) throws {
        for name in ["errorCode", "error_code"] {
            let event = try EventDecoder().decode(#"{"event":"egress_ended","egressInfo":{"\#(name)":\#(json)}}"#)
            #expect(event == Event(body: .egressEnded(Egress(errorCode: code))))
        }
    }

    private static func roomEnd(_ members: String) throws(DecodingFault) -> Event {
        try EventDecoder().decode(#"{"event":"room_finished",\#(members)}"#)
    }

    private static func participant(_ members: String, of event: String = "participant_left") throws -> Participant {
        let event = try EventDecoder().decode(#"{"event":"\#(event)","participant":{\#(members)}}"#)
        switch event.body {
        case .participantLeft(let participant), .participantConnectionAborted(let participant): return participant
        default:
            Issue.record("it is another event")
            return Participant()
        }
    }
}
