import LiveKit
import Testing
import Wire

@Suite struct RoomServiceTests {
    struct Answer: Sendable, CustomTestStringConvertible {
        let body: String
        let code: String?
        init(_ body: String, _ code: String?) { (self.body, self.code) = (body, code) }
        var testDescription: String { body }
    }

    @Test(arguments: [
        Answer(#"{"code":"not_found","msg":"participant does not exist"}"#, "not_found"),
        Answer(#"{"msg":"{\"code\":\"x\"}","meta":{"code":"y"},"code":"internal"}"#, "internal"),
        // What comes after the code may be cut.
        Answer(#"{"code":"unavailable","msg":"no resp"#, "unavailable"),
        Answer(#"{"msg":"cut"#, nil), Answer("", nil), Answer("<h1>404</h1>", nil), Answer("{}", nil),
        Answer(#"{"code":""}"#, nil), Answer(#"{"code":"Ann Smith"}"#, nil), Answer(#"{"code":7}"#, nil),
        Answer(#"{"code":"abcdefghijklmnopqrstuvwxyz_abcdefghijk"}"#, nil), Answer(#"["code"]"#, nil),
    ])
    func `an error's code is Twirp's or none`(answer: Answer) {
        let body = Array(answer.body.utf8)
        #expect(RoomService.errorCode(in: body.span) == answer.code)
    }

    @Test func `rooms are read from an answer, whatever else is in it`() throws {
        let answer = #"""
            {"x":[{}],"rooms":[{"sid":"RM_1","name":"red","metadata":"{\"org\":\"acme\"}","extra":[1]},{"name":"blue"}],"y":1}
            """#
        let body = Array(answer.utf8)
        let rooms = try RoomService.rooms(in: body.span, metadataKey: "org")
        #expect(rooms.map(\.name) == ["red", "blue"] && rooms.map(\.metadataOrganization) == ["acme", nil])
        for (text, count) in [("{}", 0), (#"{"rooms":null}"#, 0), (#"{"rooms":[]}"#, 0), ("null", 0)] {
            let body = Array(text.utf8)
            #expect(try RoomService.rooms(in: body.span, metadataKey: nil).count == count)
        }
        #expect(throws: DecodingFault.self) {
            let body = Array("<html>".utf8)
            _ = try RoomService.rooms(in: body.span, metadataKey: nil)
        }
    }

    @Test func `a body holds whatever names there are`() {
        let body = RoomService.removeParticipantBody(room: "a\"b", identity: "\\\n")
        #expect(String(decoding: body, as: UTF8.self) == #"{"room":"a\"b","identity":"\\\n"}"#)
    }
}
