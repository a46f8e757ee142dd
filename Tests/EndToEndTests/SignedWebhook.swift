import LiveKit
import Platform
import TestSupport
import Wire

/// A webhook of a room, signed and dated now, for tests that need a particular one.
enum SignedWebhook {
    /// A webhook of a participant if `identity` is given, otherwise of the room itself.
    static func make(
        _ event: String, room: String, identity: String? = nil, id: String? = nil,
        secret: String = RunningExporter.secret
    ) -> RetryingSender.Webhook {
        let now = SystemTime().now()
        var fields = [
            text("event", event), text("id", id ?? "EV_\(UInt64.random(in: 0 ... .max))"),
            text("createdAt", "\(now.milliseconds / 1_000)"),
            #""room":{\#(text("sid", "RM_\(room)")),\#(text("name", room))}"#,
        ]
        if let identity {
            fields.append(
                """
                "participant":{\(text("sid", "PA_\(room)_\(identity)")),\(text("identity", identity)),\
                \(text("joinedAtMs", "\(now.milliseconds - 5_000)"))}
                """)
        }
        let body = Array("{\(fields.joined(separator: ","))}".utf8)
        let signer = TokenSigner(key: RunningExporter.key, secret: Secret(secret))
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
