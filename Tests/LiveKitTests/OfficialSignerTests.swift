import Foundation
import LiveKit
import Platform
import TestSupport
import Testing
import Wire

/// The Python that signs and verifies as LiveKit does.
private enum OfficialSigner {
    static let python = ProcessInfo.processInfo.environment["LKPUSH_TEST_PYTHON"]
    static let isWanted = python != nil || ProcessInfo.processInfo.environment["CI"] == "true"
}

/// A body signed at test time by LiveKit's own Python library (`Tests/requirements.txt`), and ours verified by it.
///
/// `LKPUSH_TEST_PYTHON` names a Python that has the library. Without it the suite is left out on a developer's machine,
/// and fails where `CI` is `true`.
@Suite(.enabled(if: OfficialSigner.isWanted, "set LKPUSH_TEST_PYTHON to a Python with livekit-api"))
struct OfficialSignerTests {
    private let key = "APIofficial"
    private let secret = "secret-for-tests-only-0123456789abcdef"

    @Test func `a body signed by livekit-api is accepted`() throws {
        let entry = try #require(Corpus.shared.files.first { $0.file == "egress_ended.json" })
        let body = try entry.body()
        let folder = TemporaryFolder()
        try Data(body).write(to: URL(filePath: folder.file("body")))
        let token = try run(
            """
            import base64, hashlib, sys
            from livekit import api
            body = open(sys.argv[1], "rb").read()
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            print(api.AccessToken(sys.argv[2], sys.argv[3]).with_sha256(digest).to_jwt())
            """, folder, [folder.file("body"), key, secret])
        let now = SystemTime().now()
        let verifier = TokenVerifier(keys: [key: Secret(secret)], leeway: .seconds(60))
        #expect(verifier.verify(authorization: token, body: body.span, at: now) == .accepted(key: key))
        let longer = body + [32]
        #expect(verifier.verify(authorization: token, body: longer.span, at: now) == .rejected(.body_hash_mismatch))
        let other = TokenVerifier(keys: [key: Secret(secret + "x")], leeway: .seconds(60))
        #expect(other.verify(authorization: token, body: body.span, at: now) == .rejected(.bad_signature))
    }

    @Test func `a body signed by us is received by livekit-api`() throws {
        let entry = try #require(Corpus.shared.files.first { $0.file == "participant_left.json" })
        let body = try entry.body()
        let folder = TemporaryFolder()
        try Data(body).write(to: URL(filePath: folder.file("body")))
        let signer = TokenSigner(key: key, secret: Secret(secret))
        let token = signer.webhookToken(for: body.span, at: SystemTime().now())
        let output = try run(
            """
            import sys
            from livekit import api
            body = open(sys.argv[1], "r", newline="").read()
            receiver = api.WebhookReceiver(api.TokenVerifier(sys.argv[2], sys.argv[3]))
            event = receiver.receive(body, sys.argv[4])
            print(event.event, event.id, event.participant.sid, event.created_at)
            """, folder, [folder.file("body"), key, secret, token])
        #expect(output == "participant_left \(entry.id) PA_eU7nwP2s3FcN 1790001803")
    }

    @Test func `livekit-api reads a token for a room's administrator as one`() throws {
        let folder = TemporaryFolder()
        let room = "a \"b\\ü🙂"
        let token = TokenSigner(key: key, secret: Secret(secret)).roomAdminToken(
            for: room, at: SystemTime().now(), lifetime: .seconds(60))
        let output = try run(
            """
            import sys
            from livekit import api
            claims = api.TokenVerifier(sys.argv[1], sys.argv[2]).verify(sys.argv[3])
            grant = claims.video
            more = [grant.room_join, grant.room_create, grant.room_list, grant.room_record, grant.ingress_admin]
            print(grant.room_admin, grant.room == sys.argv[4], any(more))
            """, folder, [key, secret, token, room])
        #expect(output == "True True False")
        let body = RoomService.removeParticipantBody(room: room, identity: "ann\n\u{1}")
        let names = try run(
            """
            import sys
            from google.protobuf import json_format
            from livekit import api
            request = json_format.Parse(sys.argv[1], api.RoomParticipantIdentity())
            print(request.room == sys.argv[2], request.identity == "ann" + chr(10) + chr(1))
            """, folder, [String(decoding: body, as: UTF8.self), room])
        #expect(names == "True True")
    }

    /// What a Python program prints, without the line's end.
    private func run(_ program: String, _ folder: TemporaryFolder, _ arguments: [String]) throws -> String {
        let python = try #require(OfficialSigner.python, "LKPUSH_TEST_PYTHON must name a Python with livekit-api")
        try Data(program.utf8).write(to: URL(filePath: folder.file("program.py")))
        let result = ChildProcess.run(python, [folder.file("program.py")] + arguments)
        try #require(result.status == 0, "\(result.output)")
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
