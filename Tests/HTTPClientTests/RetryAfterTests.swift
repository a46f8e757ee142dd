import HTTPClient
import Testing
import Wire

@Suite struct RetryAfterTests {
    /// 1994-11-06T08:49:37Z
    private let moment = Timestamp(seconds: 784_111_777)

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func `all three forms of an HTTP date are read`(_ text: String) {
        #expect(RetryAfter.date(text) == moment)
        #expect(RetryAfter.parse(text, at: moment - .seconds(90)) == .seconds(90))
    }

    @Test func `a moment that has passed is no wait`() {
        #expect(RetryAfter.parse("Sun, 06 Nov 1994 08:49:37 GMT", at: moment + .seconds(1)) == nil)
    }

    @Test func `seconds are read, however many`() {
        #expect(RetryAfter.parse("0", at: moment) == .zero)
        #expect(RetryAfter.parse("120", at: moment) == .seconds(120))
        #expect(RetryAfter.parse("99999999999999999999999", at: moment) == .seconds(1_000_000_000))
    }

    @Test func `a response knows what its peer asked for`() {
        func asked(_ headers: [String: String]) -> Duration? {
            Response(status: 503, headers: headers, body: []).retryAfter(at: moment - .seconds(20))
        }
        #expect(asked(["retry-after": "7"]) == .seconds(7))
        #expect(asked(["retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"]) == .seconds(20))
        #expect(asked(["retry-after": "nonsense"]) == nil)
        #expect(asked(["content-type": "text/plain"]) == nil)
    }

    @Test(arguments: [
        "", "-1", "1.5", "soon", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Non 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
    ])
    func `anything else is ignored`(_ text: String) {
        #expect(RetryAfter.parse(text, at: moment) == nil)
    }
}
