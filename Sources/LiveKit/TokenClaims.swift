internal import Wire

/// The claims of a webhook's token, before any of them is verified.
struct TokenClaims {
    /// `alg` of the header.
    var algorithm = ""
    /// `iss`, the API key; empty if absent.
    var issuer = ""
    /// `exp` in Unix seconds.
    var expiry: Int64?
    /// `nbf` in Unix seconds.
    var notBefore: Int64?
    /// `iat` in Unix seconds. No rule of the verification needs it, so one that is no number counts as absent.
    var issuedAt: Int64?
    /// `sha256`, the hash of the body.
    var bodyHash: String?

    /// Reads header and payload of a token, which are already decoded from base64url.
    init(header: Span<UInt8>, payload: Span<UInt8>) throws(DecodingFault) {
        try readHeader(header)
        try readPayload(payload)
    }

    private mutating func readHeader(_ bytes: Span<UInt8>) throws(DecodingFault) {
        var reader = JSONReader()
        guard try reader.beginObject(bytes) else { throw DecodingFault(.wrong_type, at: 0) }
        while let key = try reader.nextKey(bytes) {
            switch Self.headerFields[key] {
            case .algorithm: algorithm = try reader.readText(bytes) ?? ""
            // `crit` lists extensions that a verifier must understand; this one understands none.
            // https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11
            case .critical: throw DecodingFault(.wrong_type, at: reader.offset)
            case nil: try reader.skip(bytes)
            }
        }
        try reader.finish(bytes)
    }

    private mutating func readPayload(_ bytes: Span<UInt8>) throws(DecodingFault) {
        var reader = JSONReader()
        guard try reader.beginObject(bytes) else { throw DecodingFault(.wrong_type, at: 0) }
        while let key = try reader.nextKey(bytes) {
            switch Self.payloadFields[key] {
            case .issuer: issuer = try reader.readText(bytes) ?? ""
            case .expiry: expiry = try reader.readFloor(bytes)
            case .notBefore: notBefore = try reader.readFloor(bytes)
            case .issuedAt: issuedAt = try reader.readFloorIfNumber(bytes)
            case .bodyHash: bodyHash = try reader.readText(bytes)
            case nil: try reader.skip(bytes)
            }
        }
        try reader.finish(bytes)
    }

    private enum HeaderField { case algorithm, critical }
    private enum PayloadField { case issuer, expiry, notBefore, issuedAt, bodyHash }

    private static let headerFields = NameTable<HeaderField>([("alg", .algorithm), ("crit", .critical)])
    private static let payloadFields = NameTable<PayloadField>([
        ("iss", .issuer), ("exp", .expiry), ("nbf", .notBefore), ("iat", .issuedAt), ("sha256", .bodyHash),
    ])
}
