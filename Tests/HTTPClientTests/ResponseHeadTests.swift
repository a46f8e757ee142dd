import HTTPClient
import Testing

@Suite struct ResponseHeadTests {
    private static let written = "x-prometheus-remote-write-samples-written"

    private func head(_ lines: String...) -> ResponseHead {
        var head = ResponseHead(wanted: ["retry-after", "date", Self.written])
        for line in lines { head.take(Array("\(line)\r\n".utf8)) }
        return head
    }

    @Test func `wanted headers are kept, in any case and without blanks`() {
        let head = head(
            "HTTP/1.1 204 No Content", "X-Prometheus-Remote-Write-Samples-Written:\t12 ", "X-Other: 1", "RETRY-AFTER:7",
            "Date: Sun, 06 Nov 1994 08:49:37 GMT", "")
        #expect(head.isComplete)
        #expect(head.headers == [Self.written: "12", "retry-after": "7", "date": "Sun, 06 Nov 1994 08:49:37 GMT"])
    }

    @Test func `the last header of a name counts`() {
        #expect(head("HTTP/1.1 503 No", "Retry-After: 1", "Retry-After: 2").headers == ["retry-after": "2"])
        #expect(head("HTTP/1.1 503 No", "Retry-After: 1", "Retry-After:").headers == ["retry-after": ""])
    }

    @Test func `an interim head ends nothing, and leaves nothing`() {
        #expect(!head("HTTP/1.1 103 Early", "Retry-After: 1", "").isComplete)
        let both = head("HTTP/1.1 103 Early", "Retry-After: 1", "", "HTTP/1.1 200 OK")
        #expect(both.headers.isEmpty && !both.isComplete)
    }

    @Test func `what follows a complete head does not change it`() {
        let head = head("HTTP/1.1 503 No", "Retry-After: 1", "", "Retry-After: 99", "")
        #expect(head.isComplete)
        #expect(head.headers == ["retry-after": "1"])
    }

    @Test(arguments: [
        "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2x0 OK", "HTTP/", "HTTP/1.1 -20", "HTTP/1.1 199 OK",
    ])
    func `a status that cannot be read, or is interim, completes nothing`(_ line: String) {
        #expect(!head(line, "").isComplete)
    }

    @Test(arguments: ["HTTP/2 200", "HTTP/1.0 200 OK", "HTTP/1.1  999 ?"])
    func `other versions have a status too`(_ line: String) {
        #expect(head(line, "").isComplete)
    }

    @Test func `lines that are no headers are passed over`() {
        let head = head(
            "Retry-After: 1", "HTTP/1.1 200 OK", "nonsense", ": 1", " Retry-After: 2", "Retry-After : 3",
            "Retry-After: \(String(repeating: "9", count: ResponseHead.Limits.line_bytes))")
        #expect(head.headers.isEmpty && !head.isComplete)
    }
}
