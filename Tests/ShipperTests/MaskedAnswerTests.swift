import Platform
import RemoteWrite
import TestSupport
import Testing

@testable import HTTPClient
@testable import Shipper

/// Receivers and proxies that repeat what they were sent. Nobody may read the secrets in it.
@Suite struct MaskedAnswerTests {
    private func text(of answer: String, _ change: (inout ShipperSettings) -> Void) throws -> String {
        var settings = ShipperSettings(
            url: try #require(EndpointURL("http://127.0.0.1:1/write")),
            labels: try CommonLabels(job: "job", instance: "instance"), userAgent: "test")
        change(&settings)
        var requests = ShipperRequests(settings)
        _ = try requests.reload()
        let response = Response(status: 401, headers: [:], body: Array(answer.utf8))
        let completion = Completion(
            id: RequestID(number: 1), outcome: .response(response), duration: .zero, deliveries: 1)
        guard case .response(let masked) = requests.masked(completion).outcome else { return "" }
        return ShipperRequests.words(of: masked)
    }

    @Test func `a password is masked, alone and in the form in which it is sent`() throws {
        let answer = "no: Basic Ym9iOmdsY19zZWNyZXQ= of bob, glc_secret"
        let text = try text(of: answer) { $0.credentials = .basic(user: "bob", password: .value(Secret("glc_secret"))) }
        #expect(text == "no: Basic •••• of bob, ••••")
    }

    @Test func `a token and values of headers are masked`() throws {
        let text = try text(of: "Bearer token-1 for tenant-77") { settings in
            settings.credentials = .bearer(.value(Secret("token-1")))
            settings.headers = [HTTPHeader(known: "X-Scope-OrgID", "tenant-77")]
        }
        #expect(text == "Bearer •••• for ••••")
    }

    @Test func `a key in the query of the address is masked`() throws {
        let text = try text(of: "no such path /write?key=abcdef&x=1") {
            guard let url = EndpointURL("http://127.0.0.1:1/write?key=abcdef&x=1") else { return }
            $0.url = url
        }
        #expect(text == "no such path /write?key=••••&x=1")
    }

    @Test func `a secret that the end of the text cuts is masked too`() throws {
        let text = try text(of: "you sent glc_sec") {
            $0.credentials = .basic(user: "bob", password: .value(Secret("glc_secret")))
        }
        #expect(text == "you sent ••••")
    }

    @Test func `other text stays as it is`() throws {
        let text = try text(of: "authentication error: invalid token") {
            $0.credentials = .basic(user: "bob", password: .value(Secret("glc_secret")))
        }
        #expect(text == "authentication error: invalid token")
    }
}
