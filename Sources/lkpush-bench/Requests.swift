import LiveKit
import Platform

/// Requests that are made and signed before the measurement, one after another in one block of memory.
struct Requests {
    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []
    private var body_bytes = 0

    var count: Int { ends.count }
    /// The mean size of a body.
    var meanBody: Int { body_bytes / max(1, count) }

    subscript(index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    /// Adds a signed webhook with the headers that LiveKit sends.
    mutating func append(_ body: [UInt8], signer: TokenSigner) {
        let token = signer.webhookToken(for: body.span, at: SystemTime().now())
        bytes +=
            """
            POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Go-http-client/1.1\r\n\
            Content-Length: \(body.count)\r\nAuthorization: \(token)\r\n\
            Content-Type: application/webhook+json\r\nAccept-Encoding: gzip\r\n\r\n
            """.utf8
        bytes += body
        ends.append(bytes.count)
        body_bytes += body.count
    }
}
