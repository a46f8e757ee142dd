import HTTPClient
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// What a probe says about addresses that no test may contact, and about clocks.
@Suite struct ProbeExchangeTests {
    private func report(
        _ url: String, _ status: Int, headers: [String: String] = [:], body: String = "",
        credentials: ShipperSettings.Credentials = .none, destination: String = "default",
        sentAt: Timestamp = Timestamp(seconds: 784_111_777),
        took: Duration = .milliseconds(20)
    ) throws -> ProbeReport {
        var settings = ShipperSettings(
            url: try #require(EndpointURL(url)), labels: try CommonLabels(job: "j", instance: "i"),
            userAgent: "lkpush/test")
        settings.delivery.message = .auto
        settings.credentials = credentials
        settings.destination = destination
        var exchange = ProbeExchange(settings)
        let response = Response(status: status, headers: headers, body: Array(body.utf8))
        while let message = exchange.next {
            exchange.take(
                .init(message: message, outcome: .response(response), sentAt: sentAt, receivedAt: sentAt + took))
        }
        return exchange.report
    }

    @Test func `addresses of Grafana Cloud that are not for pushing are known`() throws {
        let cases: [(url: String, status: Int, body: String, text: String)] = [
            (
                "https://prometheus-prod-24-prod-eu-west-2.grafana.net/api/prom", 404, "404 page not found",
                "it is that for queries. The push URL ends with /api/prom/push."
            ),
            (
                "https://prometheus-prod-24-prod-eu-west-2.grafana.net/api/prom/api/v1/query", 401, "",
                "that for queries"
            ),
            ("https://logs-prod-012.grafana.net/loki/api/v1/push", 401, "", "it is that of Loki, which takes logs."),
            ("https://logs-prod-012.grafana.net/api/prom/push", 401, "", "it is that of Loki, which takes logs."),
            ("https://otlp-gateway-prod-us-central-0.grafana.net/otlp", 404, "", "one for OpenTelemetry"),
            ("https://me.grafana.net/api/prom/push", 404, "", "it is that of Grafana, where people look"),
            ("https://me.grafana.net", 302, "", "it is that of Grafana, where people look"),
        ]
        for (url, status, body, text) in cases {
            let report = try report(url, status, body: body)
            #expect(!report.isGood)
            #expect(report.findings[0].text.hasPrefix("a wrong address, "), "\(url)")
            #expect(report.findings[0].text.contains(text), "\(url): \(report.findings[0].text)")
            #expect(report.findings[0].text.contains("https://prometheus-….grafana.net/api/prom/push"), "\(url)")
        }
    }

    @Test func `advice names the variables of its own destination`() throws {
        let url = "https://prometheus-prod-24-prod-eu-west-2.grafana.net/api/prom/push"
        let words = [
            "", "no credentials provided", "legacy auth cannot be upgraded", "authentication error: invalid token",
            "invalid authentication credentials", "no org id",
        ]
        let credentials: [ShipperSettings.Credentials] = [
            .none, .basic(user: "x", password: .value(Secret("p"))),
            .basic(user: "7", password: .value(Secret("glsa_"))),
            .bearer(.value(Secret("t"))),
        ]
        var named: Set<String> = []
        for (status, body) in [401, 403, 404, 413, 429, 500].flatMap({ status in words.map { (status, $0) } }) {
            for own in credentials {
                let text = try report(url, status, body: body, credentials: own, destination: "eu").findings[0].text
                let names = text.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
                named.formUnion(names.filter { $0.hasPrefix("REMOTE_WRITE_") || $0.hasPrefix("GRAFANA_") })
            }
        }
        let expected = ["USERNAME", "PASSWORD", "BEARER_TOKEN", "HEADERS", "EXCLUDE"]
        #expect(named == Set(expected.map { "REMOTE_WRITE_DESTINATION_EU_" + $0 }))
    }

    @Test func `every way to get no answer has its own advice`() throws {
        var settings = ShipperSettings(
            url: try #require(EndpointURL("http://h/write")), labels: try CommonLabels(job: "j", instance: "i"),
            userAgent: "lkpush/test")
        settings.delivery.message = .auto
        let now = Timestamp(seconds: 784_111_777)
        var advice: [NetworkError.Kind: String] = [:]
        for kind in NetworkError.Kind.allCases {
            let failure = NetworkError(kind: kind, mayHaveArrived: false, code: 7, text: "curl's words")
            var exchange = ProbeExchange(settings)
            exchange.take(.init(message: .v2, outcome: .failure(failure), sentAt: now, receivedAt: now))
            #expect(exchange.next == nil)
            let report = exchange.report
            #expect(!report.isGood && report.findings.count == 1 && report.message == nil)
            #expect(
                report.findings[0].text.hasSuffix("The attempt ended with: \(kind.rawValue): curl's words (curl 7)"))
            advice[kind] = report.findings[0].text.replacing(kind.rawValue, with: "")
        }
        #expect(try #require(advice[.tls]).contains("REMOTE_WRITE_TLS_CA_FILE"))
        #expect(try #require(advice[.timeout]).contains("REMOTE_WRITE_TIMEOUT"))
        // A connection that breaks tells no more than an error without a kind.
        #expect(Set(advice.values).count == advice.count - 1)
    }

    @Test func `a Loki that takes the empty request is no receiver`() throws {
        let report = try report("http://loki:3100/loki/api/v1/push", 204)
        #expect(!report.isGood)
        #expect(report.findings[0].text.contains("it is that of Loki, which takes logs. The push URL ends with"))
    }

    @Test func `credentials that cannot be right are told, and not shown`() throws {
        let url = "https://prometheus-prod-24-prod-eu-west-2.grafana.net/api/prom/push"
        let token = SecretSource.value(Secret("glsa_hidden"))
        let cases: [(ShipperSettings.Credentials, String)] = [
            (.none, "None are set: give GRAFANA_PROM_USERNAME and GRAFANA_API_KEY"),
            (.basic(user: "me", password: token), "GRAFANA_PROM_USERNAME is no instance id, which is a number"),
            (.basic(user: "12345", password: token), "GRAFANA_API_KEY is a service account's token"),
            (
                .basic(user: "12345", password: .value(Secret("glc_hidden"))),
                "Check GRAFANA_PROM_USERNAME and GRAFANA_API_KEY."
            ),
            (.bearer(token), "Check REMOTE_WRITE_BEARER_TOKEN."),
        ]
        for status in [401, 403] {
            for (credentials, text) in cases {
                let said = try report(url, status, credentials: credentials).findings[0].text
                #expect(said.contains(text) && !said.contains("hidden"), "\(said)")
            }
        }
        // Elsewhere a user may have any name.
        let own = try report("http://mimir/api/v1/push", 401, credentials: .basic(user: "me", password: token))
        #expect(own.findings[0].text.contains("Check GRAFANA_PROM_USERNAME and GRAFANA_API_KEY."))
    }

    @Test func `a difference of the clocks counts beyond what the request took and the date leaves open`() throws {
        // 1994-11-06 08:49:37 is 784,111,777 s after the epoch.
        let date = ["date": "Sun, 06 Nov 1994 08:49:37 GMT", "x-prometheus-remote-write-samples-written": "0"]
        let cases: [(offset: Double, took: Duration, weight: ProbeReport.Finding.Weight, text: String)] = [
            (0, .milliseconds(20), .good, "agrees"),
            (6, .milliseconds(20), .good, "agrees"),
            (6.1, .milliseconds(20), .warning, "5 s ahead of its clock: every sample is stored at a wrong time"),
            (-5, .milliseconds(20), .good, "agrees"),
            (-30, .seconds(30), .good, "agrees"),
            (-43, .seconds(1), .warning, "42 s behind its clock: every sample is stored at a wrong time"),
            (120, .seconds(9), .warning, "1 min 59 s ahead"),
            (121, .seconds(9), .fault, "2 min ahead"),
            (-121, .seconds(1), .fault, "2 min behind its clock: every sample"),
            (600, .zero, .fault, "9 min 59 s ahead of its clock: every sample is stored at a wrong time, and more"),
            (601, .zero, .fault, "10 min ahead of its clock: samples more than 10 min ahead are refused, so nothing"),
            (259_201, .zero, .fault, "3 d ahead"),
            (-90_060, .zero, .fault, "1 d 1 h behind"),
        ]
        for (offset, took, weight, text) in cases {
            let sentAt = Timestamp(milliseconds: 784_111_777_000 + Int64(offset * 1_000))
            let report = try report("http://h/api/v1/write", 204, headers: date, sentAt: sentAt, took: took)
            let clock = try #require(report.findings.last)
            #expect(clock.weight == weight && clock.text.contains(text), "\(offset): \(clock)")
            #expect(report.isGood == (weight != .fault))
        }
        // Without a date, or with one that is no date, nothing is said.
        for date in [[:], ["date": "yesterday"]] {
            #expect(try report("http://h/write", 503, headers: date).findings.count == 1)
        }
        // An answer that is no success has a clock, too.
        #expect(try report("http://h/write", 503, headers: date).findings.count == 2)
    }
}
