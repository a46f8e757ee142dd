import LiveKit
import Wire

/// The token of a call of the server API: `header.payload.signature`, with the claims of the payload.
/// https://docs.livekit.io/frontends/authentication/tokens/
struct APIToken {
    private enum Limits {
        /// The most by which the clocks of the two sides may differ. It is that of LiveKit's Go code.
        static let leeway_s: Int64 = 60
    }

    /// `iss`, the API key.
    private(set) var issuer = ""
    private var expiry: Int64 = 0
    private var notBefore: Int64 = 0
    /// The names of the members of `video` that are true.
    private var grants: Set<String> = []
    private var room = ""
    private let text: String
    private let payload: [UInt8]

    /// Reads a token without checking it. Returns nil if it is none.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = Base64.url.decode(Array(parts[1].utf8).span) else { return nil }
        self.text = text
        self.payload = payload
        do throws(DecodingFault) {
            try readClaims(payload.span)
        } catch {
            return nil
        }
    }

    private mutating func readClaims(_ bytes: Span<UInt8>) throws(DecodingFault) {
        var reader = JSONReader()
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKeyText(bytes) {
            switch key {
            case "iss": issuer = try reader.readText(bytes) ?? ""
            case "exp": expiry = try reader.readFloor(bytes) ?? 0
            case "nbf": notBefore = try reader.readFloor(bytes) ?? 0
            case "video": try readGrants(&reader, bytes)
            default: try reader.skip(bytes)
            }
        }
        try reader.finish(bytes)
    }

    private mutating func readGrants(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) {
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKeyText(bytes) {
            if key == "room" {
                room = try reader.readText(bytes) ?? ""
            } else if try reader.peek(bytes) == UInt8(ascii: "t") {
                _ = try reader.readBoolean(bytes)
                grants.insert(key)
            } else {
                try reader.skip(bytes)
            }
        }
    }

    /// Returns true if `signer` makes the same token of the same claims, and it is valid now.
    func isValid(_ signer: TokenSigner, key: String, at now: Timestamp) -> Bool {
        let second = now.milliseconds / 1_000
        return issuer == key && signer.token(payload) == text && second < expiry + Limits.leeway_s
            && second >= notBefore - Limits.leeway_s
    }

    /// Returns true if it allows a call. An administrator of one room may list only the participants of that room.
    func allows(_ call: APICall, room name: String) -> Bool {
        grants.contains(call.grant) && (call != .listParticipants || room == name)
    }
}
