import LiveKit
import Testing
import Wire

@Suite struct EventDecoderTests {
    // MARK: Zero values and missing parts

    @Test func `what is absent is zero`() throws {
        #expect(try decode("{}") == Event(body: .other))
        #expect(try decode(#"{"event":"room_started"}"#) == Event(body: .roomStarted))
        #expect(
            try decode(#"{"event":"participant_joined","participant":{}}"#)
                == Event(body: .participantJoined(Participant(kind: .standard))))
        #expect(
            try decode(#"{"event":"track_published","track":{},"participant":{}}"#)
                == Event(body: .trackPublished(Track(source: .unknown, type: .audio), by: Participant())))
        #expect(
            try decode(#"{"event":"egress_started","egressInfo":{}}"#)
                == Event(body: .egressStarted(Egress(requestType: .unknown, status: .starting))))
        #expect(
            try decode(#"{"event":"ingress_ended","ingressInfo":{"state":{}}}"#)
                == Event(body: .ingressEnded(Ingress(inputType: .rtmp, hasFailed: false))))
    }

    @Test(arguments: EventType.allCases.filter { $0 != .other })
    func `a known event without its object has an empty one`(type: EventType) throws {
        let empty = try decode(
            #"{"event":"\#(type.rawValue)","participant":{},"track":{},"egressInfo":{},"ingressInfo":{},"room":{},"#
                + #""job":{}}"#)
        #expect(try decode(#"{"event":"\#(type.rawValue)"}"#) == empty)
        #expect(empty.type == type)
        #expect(empty.room == Room())
    }

    @Test func `null is absent, in every field`() throws {
        let event = try decode(
            #"""
            {"event":"participant_left","id":null,"createdAt":null,"room":null,
            "participant":{"sid":null,"identity":null,"kind":null,"joinedAt":null,"joinedAtMs":null},
            "track":null,"egressInfo":null,"ingressInfo":null,"job":null}
            """#)
        #expect(event == Event(body: .participantLeft(Participant())))
        #expect(try decode(#"{"event":null}"#) == Event(body: .other))
        let egress = try decode(
            #"""
            {"event":"egress_ended","room":{"sid":null,"name":null,"creationTime":null,"metadata":null},"egressInfo":{
            "egressId":null,"status":null,"startedAt":null,"error":null,"retryCount":null,"roomComposite":null,
            "web":null,"egress":null,"replay":null,"fileResults":null,"file":null,"stream":null,"streamResults":null,
            "segmentResults":[null],"segments":null}}
            """#)
        #expect(egress == Event(body: .egressEnded(Egress())))
        let ingress = try decode(
            #"{"event":"ingress_ended","ingressInfo":{"ingressId":null,"inputType":null,"state":null}}"#)
        #expect(ingress == Event(body: .ingressEnded(Ingress())))
    }

    @Test func `the last of repeated keys wins, null included`() throws {
        let event = try decode(
            #"""
            {"event":"room_started","id":"a","event":"room_finished","id":"b","room":{"sid":"x","name":"old"},
            "room":{"name":"n","name":"m","sid":"s","sid":null},"createdAt":1,"created_at":"2"}
            """#)
        #expect(event == Event(id: "b", createdAt: 2, room: Room(name: "m"), body: .roomFinished))
    }

    @Test func `the order of the fields does not matter`() throws {
        let event = try decode(
            #"{"participant":{"identity":"i","sid":"p"},"createdAt":5,"id":"e","#
                + #""room":{"name":"n"},"event":"participant_left"}"#
        )
        #expect(
            event
                == Event(
                    id: "e", createdAt: 5, room: Room(name: "n"),
                    body: .participantLeft(Participant(sid: "p", identity: "i"))))
    }

    // MARK: Numbers and enums

    @Test(arguments: ["1790000000", #""1790000000""#, "1790000000.0", "179e7", #""1.79e9""#, "1790000000000e-3"])
    func `a 64-bit integer is a number or a string`(number: String) throws {
        #expect(try decode(#"{"event":"x","createdAt":\#(number)}"#).createdAt == 1_790_000_000)
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "1e19", "1e400", "1.5", #""""#, #"" 1""#, #""x""#, "true", "{}",
        "[]",
    ])
    func `a time that is no 64-bit integer is a fault`(number: String) {
        #expect(throws: DecodingFault.self) { try decode(#"{"event":"x","createdAt":\#(number)}"#) }
    }

    @Test func `times are limited so that their differences cannot overflow`() throws {
        let (most, least) = (Int64.max, Int64.min)
        for (first, second) in [(most, least), (least, most)] {
            let event = try decode(
                #"""
                {"event":"participant_left","createdAt":\#(first),
                "room":{"creationTime":\#(first),"creationTimeMs":\#(second)},
                "participant":{"joinedAt":\#(first),"joinedAtMs":\#(second)}}
                """#)
            guard case .participantLeft(let participant) = event.body else {
                Issue.record("it is another event")
                return
            }
            let latest = EventDecoder.Limits.time_s_max
            #expect(event.createdAt == (first < 0 ? 0 : latest))
            #expect(event.room.creationTime_s == (first < 0 ? 0 : latest))
            #expect(event.room.creationTime_ms == (second < 0 ? 0 : latest * 1_000))
            #expect(participant.joinedAt_s == (first < 0 ? 0 : latest))
            #expect(participant.joinedAt_ms == (second < 0 ? 0 : latest * 1_000))
        }
        let egress = try egress(
            #""startedAt":\#(least),"endedAt":\#(most),"retryCount":-1,"#
                + #""segmentResults":[{"size":\#(most)},{"size":\#(most),"duration":\#(least)}]"#
        )
        #expect(egress.startedAt_ns == 0)
        #expect(egress.endedAt_ns == .max)
        #expect(egress.retryCount == 0)
        #expect(egress.size_bytes == .max)
        #expect(egress.media_ns == 0)
    }

    struct Name: Sendable, CustomTestStringConvertible {
        let json: String
        let expected: String
        init(_ json: String, _ expected: String) { (self.json, self.expected) = (json, expected) }
        var testDescription: String { json }
    }

    static let kinds = [
        Name(#""STANDARD""#, "standard"), Name(#""INGRESS""#, "ingress"), Name(#""EGRESS""#, "egress"),
        Name(#""SIP""#, "sip"),
        Name(#""AGENT""#, "agent"), Name(#""CONNECTOR""#, "connector"), Name(#""BRIDGE""#, "bridge"),
        Name("0", "standard"),
        Name("1", "ingress"), Name("2", "egress"), Name("3", "sip"), Name("4", "agent"), Name("7", "connector"),
        Name("8", "bridge"), Name("5", "other"), Name("42", "other"), Name("-1", "other"), Name("1.5", "other"),
        Name("1e99", "other"), Name(#""standard""#, "other"), Name(#""""#, "other"), Name(#""\ud83d\ude00""#, "other"),
        Name(#""A_KIND_WITH_A_NAME_OF_MORE_THAN_32_BYTES""#, "other"),
    ]

    @Test(arguments: kinds)
    func `a participant's kind goes by name and number, and strange ones are other`(name: Name) throws {
        let event = try decode(#"{"event":"participant_joined","participant":{"kind":\#(name.json)}}"#)
        guard case .participantJoined(let participant) = event.body else {
            Issue.record("it is another event")
            return
        }
        #expect("\(participant.kind)" == name.expected)
    }

    static let tracks = [
        Name(#""type":"AUDIO","source":"UNKNOWN""#, "audio unknown"),
        Name(#""type":"VIDEO","source":"CAMERA""#, "video camera"),
        Name(#""type":"DATA","source":"MICROPHONE""#, "unknown microphone"),
        Name(#""type":0,"source":0"#, "audio unknown"), Name(#""type":1,"source":1"#, "video camera"),
        Name(#""type":2,"source":2"#, "unknown microphone"), Name(#""type":9,"source":3"#, "unknown screen_share"),
        Name(#""type":"HOLOGRAM","source":4"#, "unknown screen_share_audio"),
        Name(#""source":"SCREEN_SHARE""#, "audio screen_share"),
        Name(#""source":"SCREEN_SHARE_AUDIO""#, "audio screen_share_audio"), Name(#""source":5"#, "audio unknown"),
        Name(#""source":"NOSE""#, "audio unknown"),
    ]

    @Test(arguments: tracks)
    func `a track's type and source go by name and number`(name: Name) throws {
        let event = try decode(#"{"event":"track_unpublished","track":{\#(name.json)}}"#)
        guard case .trackUnpublished(let track, _) = event.body else {
            Issue.record("it is another event")
            return
        }
        #expect("\(track.type.rawValue) \(track.source.rawValue)" == name.expected)
    }

    static let statuses = [
        Name(#""EGRESS_STARTING""#, "starting"), Name(#""EGRESS_ACTIVE""#, "active"),
        Name(#""EGRESS_ENDING""#, "ending"),
        Name(#""EGRESS_COMPLETE""#, "complete"), Name(#""EGRESS_FAILED""#, "failed"),
        Name(#""EGRESS_ABORTED""#, "aborted"),
        Name(#""EGRESS_LIMIT_REACHED""#, "limitReached"), Name("0", "starting"), Name("1", "active"),
        Name("2", "ending"),
        Name("3", "complete"), Name("4", "failed"), Name("5", "aborted"), Name("6", "limitReached"), Name("7", "other"),
        Name(#""EGRESS_PAUSED""#, "other"),
    ]

    @Test(arguments: statuses)
    func `an egress status goes by name and number`(name: Name) throws {
        #expect(try "\(egress(#""status":\#(name.json)"#).status)" == name.expected)
    }

    static let ingresses = [
        Name(#""inputType":"RTMP_INPUT","state":{"status":"ENDPOINT_ERROR"}"#, "rtmp failed"),
        Name(#""inputType":"WHIP_INPUT","state":{"status":"ENDPOINT_COMPLETE"}"#, "whip fine"),
        Name(#""inputType":"URL_INPUT","state":{"status":3}"#, "url failed"),
        Name(#""inputType":0,"state":{"status":0}"#, "rtmp fine"),
        Name(#""inputType":1,"state":{"error":"no"}"#, "whip failed"),
        Name(#""inputType":2,"state":{"error":""}"#, "url fine"),
        Name(#""inputType":3,"state":{"status":9}"#, "unknown fine"),
        Name(#""inputType":"CARRIER_PIGEON","state":{"status":"ENDPOINT_ERROR","error":""}"#, "unknown failed"),
    ]

    @Test(arguments: ingresses)
    func `an ingress has its type, and has failed by status or by error`(name: Name) throws {
        let event = try decode(#"{"event":"ingress_ended","ingressInfo":{\#(name.json)}}"#)
        guard case .ingressEnded(let ingress) = event.body else {
            Issue.record("it is another event")
            return
        }
        #expect("\(ingress.inputType.rawValue) \(ingress.hasFailed ? "failed" : "fine")" == name.expected)
    }

    // MARK: Egress requests and results

    static let requests = [
        Name(#""roomComposite":{}"#, "room_composite"), Name(#""web":{"url":"x"}"#, "web"),
        Name(#""participant":{}"#, "participant"),
        Name(#""trackComposite":{}"#, "track_composite"), Name(#""track":{}"#, "track"),
        Name(#""egress":{"template":{}}"#, "template"),
        Name(#""egress":{"outputs":[{"web":{}}],"web":{}}"#, "web"),
        Name(#""egress":{"roomName":"r","media":{"a":[]}}"#, "media"),
        Name(#""egress":{}"#, "unknown"), Name(#""egress":{"hologram":{}}"#, "unknown"),
        Name(#""egress":{"web":null}"#, "unknown"), Name(#""replay":{"template":{}}"#, "replay"),
        Name(#""replay":{}"#, "replay"),
        Name(#""hologram":{}"#, "unknown"), Name("", "unknown"), Name(#""web":null,"track":{}"#, "track"),
        Name(#""room_composite":{}"#, "room_composite"), Name(#""track_composite":{}"#, "track_composite"),
    ]

    @Test(arguments: requests)
    func `an egress is of the type of its request`(name: Name) throws {
        #expect(try egress(name.json).requestType.rawValue == name.expected)
    }

    /// media_ns, size_bytes, location
    static let results = [
        Name("", "0 0 "),
        Name(
            #""fileResults":[{"duration":"5","size":"6","location":"a"},{"duration":"9","size":"9","location":"b"}]"#,
            "5 6 a"),
        Name(#""file":{"duration":"5","size":"6","location":"a"}"#, "5 6 a"),
        Name(
            #""file":{"duration":"1","size":"1","location":"old"},"#
                + #""fileResults":[{"duration":2,"size":2,"location":"new"}]"#,
            "2 2 new"),
        Name(#""fileResults":[],"file":{"duration":"5","size":"6","location":"a"}"#, "5 6 a"),
        Name(
            #""segmentResults":[{"duration":3,"size":10,"playlistLocation":"p"},"#
                + #"{"duration":7,"size":20,"playlistLocation":"q"}]"#,
            "7 30 p"),
        Name(#""segment_results":[{"duration":3,"playlist_location":"p"}]"#, "3 0 p"),
        Name(#""segments":{"duration":3,"size":10,"playlistLocation":"p"}"#, "3 10 p"),
        Name(#""streamResults":[{"duration":3,"url":"u"},{"duration":8,"url":"v"}]"#, "8 0 u"),
        Name(#""stream":{"info":[{"duration":3,"url":"u"},{"duration":8,"url":"v"}],"new":[1]}"#, "8 0 u"),
        Name(#""segmentResults":[{"duration":3}],"streamResults":[{"duration":8}]"#, "8 0 "),
        Name(#""fileResults":[{"size":4,"location":"f"}],"segmentResults":[{"duration":3,"size":9}]"#, "3 4 f"),
        Name(#""fileResults":[{"duration":2}],"streamResults":[{"duration":8,"url":"u"}]"#, "2 0 u"),
        Name(#""imageResults":[{"imageCount":"4","duration":"3"}]"#, "0 0 "),
    ]

    @Test(arguments: results)
    func `media time is the first file's, else the longest of segments and streams`(name: Name) throws {
        let egress = try egress(name.json)
        #expect("\(egress.media_ns) \(egress.size_bytes) \(egress.location)" == name.expected)
    }

    @Test func `an egress error is kept to its limit, between characters`() throws {
        let limit = EventDecoder.Limits.error_bytes_max
        #expect(try egress(#""error":"\#(String(repeating: "x", count: limit))""#).error.utf8.count == limit)
        for padding in ["", "x", "xx", "xxx"] {
            let error = try egress(#""error":"\#(padding)\#(String(repeating: "😀", count: limit))""#).error
            #expect(error.utf8.count <= limit && error.utf8.count > limit - 4)
            #expect(error.dropFirst(padding.count).allSatisfy { $0 == "😀" })
        }
    }

    // MARK: Rooms

    @Test func `an egress or ingress event names its room somewhere`() throws {
        let inner = #""egressInfo":{"roomId":"RM_2","roomName":"two"}"#
        #expect(try decode(#"{"event":"egress_ended",\#(inner)}"#).room == Room(sid: "RM_2", name: "two"))
        #expect(
            try decode(#"{"event":"egress_ended","room":{"sid":"RM_1","name":"one"},\#(inner)}"#).room
                == Room(sid: "RM_1", name: "one"))
        #expect(
            try decode(#"{"event":"egress_ended",\#(inner),"room":{"name":"one"}}"#).room
                == Room(sid: "RM_2", name: "one"))
        #expect(
            try decode(#"{"event":"ingress_ended","ingressInfo":{"roomName":"two","state":{"roomId":"RM_2"}}}"#).room
                == Room(sid: "RM_2", name: "two"))
        #expect(
            try decode(#"{"event":"ingress_ended","room":{"name":"one"},"ingress_info":{"state":{"room_id":"RM_2"}}}"#)
                .room
                == Room(sid: "RM_2", name: "one"))
        // A web egress has none.
        #expect(try decode(#"{"event":"egress_ended","egressInfo":{"web":{}}}"#).room == Room())
    }

    @Test func `an unknown event keeps id, time and room`() throws {
        let event = try decode(
            #"{"event":"new_thing","id":"EV_1","createdAt":"7","room":{"sid":"RM","name":"n"},"job":{"id":"AJ"}}"#)
        #expect(event == Event(id: "EV_1", createdAt: 7, room: Room(sid: "RM", name: "n"), body: .other))
        #expect(try decode(#"{"event":"other","room":{"name":"n"}}"#) == Event(room: Room(name: "n"), body: .other))
    }

    @Test(arguments: [
        #""room":5"#, #""room":{"sid":5}"#, #""job":"x""#, #""job":{"room":[]}"#, #""participant":[1]"#,
        #""room":{"creationTime":"x"}"#,
    ])
    func `an unknown event is taken whatever its objects are`(member: String) throws {
        #expect(try decode(#"{"event":"new_thing",\#(member)}"#) == Event(body: .other))
    }

    @Test(arguments: ["Event", "EVENT", "event_", "_event", "e_vent"])
    func `a field goes by its two spellings and no third`(name: String) throws {
        #expect(try decode(#"{"\#(name)":"room_started"}"#) == Event(body: .other))
        #expect(try decode(#"{"event":"room_started","created_At":1,"createdat":2,"CreatedAt":3}"#).createdAt == 0)
    }

    // MARK: Faults

    @Test(arguments: [
        #"{"event":5}x"#, #"{"event":[]}"#, #"{"event":true}"#, #"{"event":"room_started","id":5}"#,
        #"{"event":"room_started","room":5}"#, #"{"event":"room_started","room":[]}"#,
        #"{"event":"room_started","room":{"sid":5}}"#,
        #"{"event":"room_started","room":{"name":{}}}"#, #"{"event":"room_started","room":{"creationTimeMs":true}}"#,
        #"{"event":"participant_joined","participant":"PA"}"#,
        #"{"event":"participant_joined","participant":{"kind":{}}}"#,
        #"{"event":"participant_joined","participant":{"kind":true}}"#,
        #"{"event":"track_published","track":{"source":[]}}"#,
        #"{"event":"track_published","participant":7}"#, #"{"event":"egress_ended","egressInfo":{"fileResults":{}}}"#,
        #"{"event":"egress_ended","egressInfo":{"fileResults":[5]}}"#,
        #"{"event":"egress_ended","egressInfo":{"egress":5}}"#,
        #"{"event":"egress_ended","egressInfo":{"stream":[]}}"#,
        #"{"event":"ingress_ended","ingressInfo":{"state":"x"}}"#,
        "", " ", "null", "[]", "5", #""x""#, "{", #"{"event""#, "{}{}", "not json", "<xml/>",
        #"{"event":"room_started",}"#,
        #"{"event":"room_started","room":{"name":"\ud800"}}"#, #"{"new":nil}"#, #"{'event':'x'}"#,
    ])
    func `a field that matters with a value of another type, or no JSON, is a fault`(text: String) {
        #expect(throws: DecodingFault.self) { try decode(text) }
    }

    @Test(arguments: [
        #""numDropped":"many""#, #""roomEndReason":{}"#, #""track":5"#, #""egressInfo":[]"#, #""ingressInfo":"x""#,
        #""job":0"#,
        #""participant":false"#,
        #""room":{"turnPassword":5,"metadata":{"a":[]},"numParticipants":"x","sid":"","enabledCodecs":null}"#,
        #""future":[[[{"a":[null,true,1e5]}]]]"#, #""x":"\ud800""#, #""a_name_of_more_than_thirty_two_bytes":1"#,
    ])
    func `what this event does not need may be anything`(member: String) throws {
        #expect(try decode(#"{"event":"room_finished",\#(member)}"#) == Event(body: .roomFinished))
    }

    @Test func `invalid UTF-8 is a fault in what is kept, and only there`() throws {
        var body = Array(#"{"event":"room_started","room":{"name":"#.utf8) + [0x22, 0xFF, 0x22]
        body += Array("}}".utf8)
        #expect(throws: DecodingFault.self) { try EventDecoder().decode(body.span) }
        var other = Array(#"{"event":"room_started","room":{"turnPassword":"#.utf8) + [0x22, 0xFF, 0x22]
        other += Array("}}".utf8)
        #expect(try EventDecoder().decode(other.span) == Event(body: .roomStarted))
    }

    @Test func `a body nested without end is a fault, and is refused at once`() {
        for open in ["[", #"{"a":"#] {
            let text = #"{"event":"room_started","deep":"# + String(repeating: open, count: 1 << 20)
            #expect(throws: DecodingFault(.nested_too_deeply, at: 31 + 63 * open.utf8.count)) { try decode(text) }
        }
    }

    private func decode(_ text: String) throws(DecodingFault) -> Event { try EventDecoder().decode(text) }

    /// The egress of an `egress_ended` whose `EgressInfo` has these members.
    private func egress(_ members: String) throws -> Egress {
        let event = try decode(#"{"event":"egress_ended","egressInfo":{\#(members)}}"#)
        guard case .egressEnded(let egress) = event.body else {
            Issue.record("it is another event")
            return Egress()
        }
        return egress
    }
}
