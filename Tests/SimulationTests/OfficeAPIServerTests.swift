import HTTPServing
import LiveKit
import Platform
import Simulation
import TestSupport
import Testing
import Wire

/// The office's server API over a socket.
@Suite struct OfficeAPIServerTests {
    private static let rooms = "/twirp/livekit.RoomService/ListRooms"
    private static let participants = "/twirp/livekit.RoomService/ListParticipants"
    private static let signer = TokenSigner(key: "key", secret: Secret("secret"))

    /// A token with a grant, which is valid from now on for so many seconds.
    private static func token(
        _ grant: String, signer: TokenSigner = Self.signer, key: String = "key", lifetime: Int64 = 60
    ) -> String {
        let now = SystemTime().now().milliseconds / 1_000
        let claims = #"{"iss":"\#(key)","exp":\#(now + lifetime),"nbf":\#(now),"video":{\#(grant)}}"#
        return "Bearer " + signer.token(Array(claims.utf8))
    }

    @Test func `whoever has a token for the call gets the answer, and nobody else`() throws {
        let server = try OfficeAPIServer(
            ListenAddress("127.0.0.1:0"), OfficeAPI(timeline: Timeline(startedAt: Office.epoch, speed: 1)),
            signer: Self.signer)
        var watched = WatchedOffice()
        for _ in 0..<300 {
            guard let occurrence = watched.step() else { break }
            server.take(occurrence)
        }
        let client = try LoopbackClient(port: server.address.port)
        func ask(_ path: String, _ token: String?, _ body: String = "{}") -> (status: Int?, body: String?) {
            let headers = ["Content-Type": "application/json"].merging(token.map { ["Authorization": $0] } ?? [:]) {
                $1
            }
            let answer = client.post(path, headers, Array(body.utf8))
            return (answer?.status, answer?.body)
        }
        let all = watched.api.answer(Self.rooms, body: [], at: watched.now)
        let listed = ask(Self.rooms, Self.token(#""roomList":true"#))
        #expect(listed.status == 200 && listed.body == String(decoding: all.body, as: UTF8.self))

        let room = try #require(try watched.rooms().first { $0.num_participants > 0 }?.name)
        let body = #"{"room":"\#(room)"}"#
        let members = watched.api.answer(Self.participants, body: Array(body.utf8), at: watched.now)
        let admin = #""roomAdmin":true,"room":"\#(room)""#
        let answered = ask(Self.participants, Self.token(admin), body)
        #expect(answered.status == 200 && answered.body == String(decoding: members.body, as: UTF8.self))
        #expect(ask("/twirp/livekit.Egress/ListEgress", Self.token(#""roomRecord":true"#)).status == 200)
        #expect(ask("/twirp/livekit.Ingress/ListIngress", Self.token(#""ingressAdmin":true"#)).status == 200)

        let list = #""roomList":true"#
        let other = TokenSigner(key: "key", secret: Secret("another"))
        for (path, token, body) in [
            (Self.rooms, nil, "{}"), (Self.rooms, "Bearer nonsense", "{}"),
            (Self.rooms, Self.token(list).replacing("Bearer ", with: ""), "{}"),
            (Self.rooms, Self.token(list, signer: other), "{}"), (Self.rooms, Self.token(list, key: "another"), "{}"),
            (Self.rooms, Self.token(list, lifetime: -120), "{}"), (Self.rooms, Self.token(#""roomList":false"#), "{}"),
            (Self.rooms, Self.token(admin), "{}"), (Self.participants, Self.token(list), body),
            (Self.participants, Self.token(admin), #"{"room":"another"}"#),
        ] as [(String, String?, String)] {
            let refused = ask(path, token, body)
            #expect(refused.status == 401 && refused.body?.hasPrefix(#"{"code":"unauthenticated","msg":"#) == true)
        }
        for path in ["/twirp/livekit.RoomService/DeleteRoom", "/"] {
            let answer = ask(path, Self.token(list))
            #expect(answer.status == 404 && answer.body?.hasPrefix(#"{"code":"bad_route""#) == true)
        }

        server.use(other)
        #expect(ask(Self.rooms, Self.token(list, signer: other)).status == 200)
        #expect(ask(Self.rooms, Self.token(list)).status == 401)
        server.stop()
        #expect(LoopbackClient.get("/", port: server.address.port) == nil)
    }

    @Test func `a simulator feeds it while it sends`() throws {
        let receiver = try ScriptedReceiver(otherwise: ScriptedReceiver.Answer(200))
        let simulator = try Simulator(
            try SimulatorTests.options(
                port: receiver.port, ["--api", "127.0.0.1:0", "--lie", "ghost-rooms", "--lose", "1"]))
        try simulator.serveAPI()
        let address = try #require(simulator.apiAddress)
        simulator.run(every: .seconds(1)) { _, _ in }
        #expect(receiver.requests.isEmpty)
        let client = try LoopbackClient(port: address.port)
        let answer = client.post(Self.rooms, ["Authorization": Self.token(#""roomList":true"#)], Array("{}".utf8))
        // All rooms have ended, but the API does not say so.
        #expect(answer?.status == 200 && answer?.body.contains(#""sid":"RM_"#) == true, "\(answer?.body ?? "")")
    }
}
