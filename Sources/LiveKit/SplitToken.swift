internal import Wire

/// A JSON Web Token split into its parts, `header.payload.signature`, with the first two decoded.
/// https://www.rfc-editor.org/rfc/rfc7519
struct SplitToken {
    let header: [UInt8]
    let payload: [UInt8]
    /// The number of bytes that the signature covers: header, dot and payload as they were sent. The signature follows
    /// after one more dot.
    let signedCount: Int

    /// Returns nil if there are not exactly three parts, or if one of the first two is not base64url.
    init?(_ token: Span<UInt8>) {
        var dots: [2 of Int] = [0, 0]
        var found = 0
        for index in token.indices where token[index] == UInt8(ascii: ".") {
            guard found < 2 else { return nil }
            dots[found] = index
            found += 1
        }
        guard found == 2, let header = Base64.url.decode(token.extracting(..<dots[0])),
            let payload = Base64.url.decode(token.extracting((dots[0] + 1)..<dots[1]))
        else { return nil }
        self.header = header
        self.payload = payload
        signedCount = dots[1]
    }
}
