import LiveKit
import Platform
import Testing
import Wire

/// Answers of the calls that list something, as LiveKit 1.9 writes them: snake_case, with zero values.
@Suite struct ListPageTests {
    private func read<Element>(
        _ text: String, _: Element.Type = Element.self, metadataKey: String? = nil
    ) throws -> ListPage<Element> {
        let body = Array(text.utf8)
        return try ListPage<Element>(body.span, metadataKey: metadataKey)
    }

    @Test func `rooms are read in both casings`() throws {
        let snake = #"""
            {"rooms":[{"sid":"RM_a","name":"red","empty_timeout":300,"departure_timeout":20,"max_participants":0,
            "creation_time":"1760000000","creation_time_ms":"1760000000123","turn_password":"secret","enabled_codecs":[
            {"mime":"audio/opus","fmtp_line":""}],"metadata":"{\"org\":\"acme\"}","num_participants":3,"num_publishers":1,
            "active_recording":false,"version":{"unix_micro":"1760000000123000","ticks":0}}]}
            """#
        let camel = #"""
            {"rooms":[{"sid":"RM_a","name":"red","emptyTimeout":300,"departureTimeout":20,"creationTime":1760000000,
            "creationTimeMs":1760000000123,"metadata":"{\"org\":\"acme\"}","numParticipants":3}]}
            """#
        let room = Room(
            sid: "RM_a", name: "red", creationTime_ms: 1_760_000_000_123, creationTime_s: 1_760_000_000,
            metadataOrganization: "acme")
        for text in [snake, camel] {
            let page = try read(text, ListedRoom.self, metadataKey: "org")
            #expect(
                page.elements
                    == [ListedRoom(room: room, participants: 3, emptyTimeout_s: 300, departureTimeout_s: 20)])
            #expect(page.next == nil)
        }
    }

    @Test func `participants are read with their state, kind and tracks`() throws {
        let text = #"""
            {"participants":[{"sid":"PA_a","identity":"ann","state":"ACTIVE","tracks":[{"sid":"TR_a","type":"VIDEO",
            "name":"","muted":false,"source":"CAMERA","layers":[{"quality":"LOW","width":320}],"version":{
            "unix_micro":"1760000000999000","ticks":0}},{"sid":"","type":"AUDIO"}],"metadata":"","joined_at":"1760000000",
            "joined_at_ms":"1760000000500","name":"Ann","version":4,"permission":{"can_subscribe":true,"hidden":false},
            "region":"","is_publisher":true,"kind":"STANDARD","attributes":{},"disconnect_reason":"UNKNOWN_REASON"},
            {"sid":"PA_b","identity":"bot","state":2,"kind":"AGENT","permission":{"hidden":true}},
            {"sid":"PA_c","state":"JOINED","tracks":null,"permission":null},{"sid":"PA_d"}]}
            """#
        let members = try read(text, ListedParticipant.self).elements
        #expect(members.map(\.participant.sid) == ["PA_a", "PA_b", "PA_c", "PA_d"])
        #expect(members.map(\.isActive) == [true, true, false, false])
        #expect(members.map(\.isHidden) == [false, true, false, false])
        #expect(members[0].participant.joinedAt == Timestamp(milliseconds: 1_760_000_000_500))
        #expect(members[1].participant.kind == .agent)
        #expect(members[0].tracks.map(\.sid) == ["TR_a"] && members[0].tracks[0].source == .camera)
        #expect(members[0].tracks[0].version == TrackVersion(unixMicro: 1_760_000_000_999_000))
    }

    @Test func `egress is read with its change, and the token of the next page in both forms`() throws {
        let job = #"""
            {"egress_id":"EG_a","room_id":"RM_a","room_name":"red","source_type":"EGRESS_SOURCE_TYPE_WEB",
            "status":"EGRESS_COMPLETE","started_at":"1760000000000000000","ended_at":"1760000060000000000",
            "updated_at":"1760000060000000001","room_composite":{"room_name":"red"},"stream_results":[],"file_results":[
            {"filename":"a.mp4","started_at":"0","ended_at":"0","duration":"59000000000","size":"12","location":"s3://a"}],
            "segment_results":[],"error":"","retry_count":1}
            """#
        for (token, next) in [
            ("null", nil), (#"{"token":""}"#, nil), (#""""#, nil), ("{}", nil),
            (#"{"token":"p2"}"#, PageToken("p2")), (#""p2""#, PageToken("p2", isMessage: false)),
        ] as [(String, PageToken?)] {
            for name in ["next_page_token", "nextPageToken"] {
                let page = try read(#"{"items":[\#(job)],"\#(name)":\#(token)}"#, ListedEgress.self)
                #expect(page.next == next)
                let listed = try #require(page.elements.first)
                #expect(listed.egress.status == .complete && listed.egress.media_ns == 59_000_000_000)
                #expect(listed.egress.requestType == .room_composite && listed.egress.retryCount == 1)
                #expect(listed.updatedAt_ns == 1_760_000_060_000_000_001)
                #expect(listed.room == Room(sid: "RM_a", name: "red"))
            }
        }
    }

    @Test func `ingress is read with what its status means`() throws {
        let statuses: [(String, ListedIngress.Activity)] = [
            (#"{"status":"ENDPOINT_INACTIVE"}"#, .ended), (#"{"status":"ENDPOINT_BUFFERING"}"#, .running),
            (#"{"status":"ENDPOINT_PUBLISHING"}"#, .running), (#"{"status":"ENDPOINT_ERROR"}"#, .ended),
            (#"{"status":4}"#, .ended), (#"{"status":"ENDPOINT_NEW"}"#, .unknown), ("{}", .ended), ("null", .unknown),
        ]
        for (state, activity) in statuses {
            let page = try read(
                #"{"items":[{"ingress_id":"IN_a","room_name":"red","stream_key":"s","state":\#(state)}]}"#,
                ListedIngress.self)
            #expect(page.elements.map(\.activity) == [activity], "\(state)")
        }
        let text = #"""
            {"items":[{"ingress_id":"IN_a","input_type":"WHIP_INPUT","room_name":"red","state":{"status":"ENDPOINT_ERROR",
            "error":"x","room_id":"RM_a","started_at":"7","ended_at":"9","resource_id":"r1","tracks":[]}}]}
            """#
        let listed = try #require(try read(text, ListedIngress.self).elements.first)
        #expect(listed.ingress.resourceID == "r1" && listed.ingress.hasFailed && listed.ingress.inputType == .whip)
        #expect(listed.room == Room(sid: "RM_a", name: "red"))
    }

    @Test(arguments: ["{}", #"{"rooms":[]}"#, #"{"rooms":[],"x":1}"#, #"{"next_page_token":null}"#, #"{"rooms":[{}]}"#])
    func `an answer without rooms is an empty list`(text: String) throws {
        #expect(try read(text, ListedRoom.self).elements.isEmpty)
    }

    @Test(arguments: [
        "", "null", "[]", "7", "<html>", #"{"rooms":null}"#, #"{"rooms":{}}"#, #"{"rooms":[null]}"#, #"{"rooms":[7]}"#,
        #"{"rooms":["a"]}"#, #"{"rooms":[{"sid":"RM_a"}"#, #"{"rooms":[{"sid":"RM_a"}]"#, #"{"rooms":[]} {}"#,
        #"{"code":"ok"}"#, #"{"items":[]}"#, #"{"rooms":[{"sid":7}]}"#, #"{"rooms":[{"num_participants":"x"}]}"#,
    ])
    func `an answer that is no list of rooms is a fault`(text: String) {
        #expect(throws: DecodingFault.self) { try read(text, ListedRoom.self) }
    }

    @Test func `a list that is cut anywhere is a fault`() {
        let text = #"{"items":[{"egress_id":"EG_a","status":"EGRESS_ACTIVE"}],"next_page_token":{"token":"p"}}"#
        for length in 0..<text.utf8.count {
            #expect(throws: DecodingFault.self) { try read(String(text.prefix(length)), ListedEgress.self) }
        }
    }

    @Test func `each call has its path, body and grant`() throws {
        let page = PageToken("p\"2")
        let calls: [(ServerCall, String, String, String)] = [
            (.listRooms(), "RoomService/ListRooms", "{}", #""roomList":true"#),
            (
                .listParticipants(room: "a\"b"), "RoomService/ListParticipants", #"{"room":"a\"b"}"#,
                #""roomAdmin":true,"room":"a\"b""#
            ),
            (.listEgress(.active), "Egress/ListEgress", #"{"active":true}"#, #""roomRecord":true"#),
            (.listEgress(.all), "Egress/ListEgress", "{}", #""roomRecord":true"#),
            (.listEgress(.id("EG_a")), "Egress/ListEgress", #"{"egress_id":"EG_a"}"#, #""roomRecord":true"#),
            (
                .listEgress(.active).next(page), "Egress/ListEgress",
                #"{"active":true,"page_token":{"token":"p\"2"}}"#, #""roomRecord":true"#
            ),
            (
                .listEgress(.all).next(PageToken("p", isMessage: false)), "Egress/ListEgress",
                #"{"page_token":"p"}"#, #""roomRecord":true"#
            ),
            (.listIngress(), "Ingress/ListIngress", "{}", #""ingressAdmin":true"#),
        ]
        let signer = TokenSigner(key: "APIkey", secret: Secret("secret-for-tests-only-0123456789abcdef"))
        for (call, path, body, grant) in calls {
            #expect(call.path == "/twirp/livekit.\(path)")
            #expect(ServerCall.names.contains(call.name) && call.path.hasSuffix(call.name))
            #expect(String(decoding: call.body, as: UTF8.self) == body)
            let parts = call.token(signer, at: Timestamp(seconds: 1_000)).split(separator: ".")
            let encoded = Array(parts[1].utf8)
            let claims = Base64.url.decode(encoded.span) ?? []
            #expect(
                String(decoding: claims, as: UTF8.self)
                    == #"{"iss":"APIkey","exp":1060,"nbf":1000,"video":{\#(grant)}}"#)
            #expect(grant.contains(call.grant))
        }
    }

    @Test(arguments: [
        (#"{"code":"internal","msg":"twirp error unknown: egress not connected (redis required)"}"#, true),
        (#"{"code":"internal","msg":"database is down"}"#, false), ("{}", false), ("<h1>", false),
    ])
    func `a server without the service says so`(text: String, lacks: Bool) {
        let body = Array(text.utf8)
        #expect(RoomService.lacksService(body.span) == lacks)
    }
}
