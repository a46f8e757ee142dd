import LiveKit
import Testing
import Wire

/// The organization in a room's metadata: text in which applications write what they like.
@Suite struct RoomMetadataTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let metadata: String
        let organization: String?
        init(_ metadata: String, _ organization: String?) {
            (self.metadata, self.organization) = (metadata, organization)
        }
        var testDescription: String { metadata }
    }

    static let vectors = [
        Vector(#"{"org":"acme"}"#, "acme"), Vector(#" { "a" : [1] , "org" : "acme" } "#, "acme"),
        Vector(#"{"org":"Zoë 😀"}"#, "Zoë 😀"),
        Vector(#"{"o\u0072g":"ac\u006de"}"#, "acme"), Vector(#"{"org":42}"#, "42"), Vector(#"{"org":-7}"#, "-7"),
        Vector(#"{"org":1e3}"#, "1000"), Vector(#"{"org":"a","org":"b"}"#, "b"),
        Vector(#"{"org":"a","org":null}"#, nil),
        Vector(#"{"org":""}"#, nil), Vector(#"{"org":1.5}"#, nil), Vector(#"{"org":1e99}"#, nil),
        Vector(#"{"org":true}"#, nil),
        Vector(#"{"org":null}"#, nil), Vector(#"{"org":{}}"#, nil), Vector(#"{"org":["acme"]}"#, nil),
        Vector(#"{"Org":"acme"}"#, nil),
        Vector(#"{"a":{"org":"acme"}}"#, nil), Vector("", nil), Vector("acme", nil), Vector("null", nil),
        Vector(#"["org"]"#, nil),
        Vector(#"{"org":"acme""#, nil), Vector(#"{"org":"acme"}x"#, nil), Vector(#"{"org":"\ud800"}"#, nil),
        Vector("{}", nil),
        Vector(String(repeating: "[", count: 1_000), nil),
        Vector(#"{"a":\#(String(repeating: "[", count: 1_000))"#, nil),
    ]

    @Test(arguments: vectors)
    func `the key's value is the organization, and unusable metadata is none`(vector: Vector) throws {
        var metadata: [UInt8] = []
        JSONText.append(vector.metadata, to: &metadata)
        let text = String(decoding: metadata, as: UTF8.self)
        for body in [
            #"{"event":"room_started","room":{"metadata":\#(text),"name":"n"}}"#,
            #"{"event":"room_started","room":{"name":"n","metadata":\#(text)}}"#,
            #"{"event":"participant_left","room":{"name":"n","metadata":\#(text)}}"#,
            #"{"event":"agent_job_started","job":{"room":{"name":"n","metadata":\#(text)}}}"#,
        ] {
            let room = try EventDecoder(metadataKey: "org").decode(body).room
            #expect(room == Room(name: "n", metadataOrganization: vector.organization))
            #expect(try EventDecoder().decode(body).room == Room(name: "n"))
        }
    }

    @Test(arguments: ["5", "true", "{}", #"["x"]"#, "null", #""\ud800""#])
    func `metadata that is no text is none`(metadata: String) throws {
        let body = #"{"event":"room_started","room":{"metadata":\#(metadata),"name":"n"}}"#
        #expect(try EventDecoder(metadataKey: "org").decode(body).room == Room(name: "n"))
    }

    @Test func `a key may be longer than any field of LiveKit's, and is compared by its bytes`() throws {
        let key = String(repeating: "organization", count: 5)
        let body =
            #"{"event":"room_started","room":{"metadata":"{\"\#(key)\":\"acme\","#
            + #"\"e\u0301\":\"no\",\"\u00e9\":\"yes\"}"}}"#
        #expect(try EventDecoder(metadataKey: key).decode(body).room.metadataOrganization == "acme")
        #expect(try EventDecoder(metadataKey: "\u{e9}").decode(body).room.metadataOrganization == "yes")
        #expect(try EventDecoder(metadataKey: "e\u{301}").decode(body).room.metadataOrganization == "no")
    }

    @Test func `the recorded rooms name their organization`() throws {
        for entry in Corpus.shared.files
        where ["room_started", "participant_joined", "agent_job_ended"].contains(entry.event) {
            let body = try entry.body()
            let room = try EventDecoder(metadataKey: "org_id").decode(body.span).room
            #expect(room.metadataOrganization == "org_01JACME000000000000000000", "\(entry.file)")
        }
    }
}
