import LiveKit
import Platform
import Wire

/// A webhook of a room, signed and dated now, for tests that need a particular one.
package enum SignedWebhook {
    /// A webhook of a participant if `identity` is given, otherwise of the room itself.
    ///
    /// - Parameters:
    ///   - sid: the room's SID without its prefix; the name otherwise.
    ///   - metadata: the room's metadata, which is absent otherwise.
    package static func make(
        _ event: String, room: String, identity: String? = nil, id: String? = nil, sid: String? = nil,
        metadata: String? = nil, secret: String = BuiltProgram.secret
    ) -> RetryingSender.Webhook {
        let now = SystemTime().now()
        let sid = sid ?? room
        let more = metadata.map { "," + text("metadata", $0) } ?? ""
        var fields = [
            text("event", event), text("id", id ?? "EV_\(UInt64.random(in: 0 ... .max))"),
            text("createdAt", "\(now.milliseconds / 1_000)"),
            #""room":{\#(text("sid", "RM_\(sid)")),\#(text("name", room))\#(more)}"#,
        ]
        if let identity {
            fields.append(
                """
                "participant":{\(text("sid", "PA_\(sid)_\(identity)")),\(text("identity", identity)),\
                \(text("joinedAtMs", "\(now.milliseconds - 5_000)"))}
                """)
        }
        let body = Array("{\(fields.joined(separator: ","))}".utf8)
        let signer = TokenSigner(key: BuiltProgram.key, secret: Secret(secret))
        return RetryingSender.Webhook(
            key: room, token: signer.webhookToken(for: body.span, at: now, lifetime: .seconds(3_600)), body: body)
    }

    private static func text(_ name: String, _ value: String) -> String {
        var bytes: [UInt8] = []
        JSONText.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        JSONText.append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
