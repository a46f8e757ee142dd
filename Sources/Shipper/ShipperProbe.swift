import HTTPClient
package import Platform
import RemoteWrite
import Wire

/// Asks a receiver which message it reads, and whether it takes requests with these credentials.
///
/// A probe sends requests without any series, so that nothing is stored. Prometheus, Mimir and VictoriaMetrics answer
/// them as they answer others.
package enum ShipperProbe {
    /// Sends one request, or two if the receiver does not read version 2.0. Blocks for as long as the time-outs allow.
    package static func run(_ settings: ShipperSettings, time: any TimeSource = SystemTime()) -> ProbeReport {
        var requests = ShipperRequests(settings)
        do throws(SecretSource.SecretError) {
            _ = try requests.reload()
        } catch {
            return ProbeReport(failure: error.description)
        }
        var exchange = ProbeExchange(settings)
        do throws(TransportError) {
            let transport = try Transport(ShipperRequests.options(settings), time: time)
            while let message = exchange.next {
                let sentAt = time.now()
                let completion = transport.complete(requests.request(body(message), message, retry: 0))
                exchange.take(
                    ProbeExchange.Attempt(
                        message: message, outcome: requests.masked(completion).outcome, sentAt: sentAt,
                        receivedAt: time.now()))
            }
        } catch {
            return ProbeReport(failure: error.description)
        }
        return exchange.report
    }

    /// The smallest legal body. Version 2.0 wants the empty text as its first symbol.
    /// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#protobuf-message
    private static func body(_ message: Message) -> [UInt8] {
        let request: [UInt8] =
            switch message {
            case .v1: []
            // Field 4, `symbols`, of length 0.
            case .v2: [4 << 3 | 2, 0]
            }
        var body: [UInt8] = []
        let size = Snappy.compress(request[...], into: &body)
        return Array(body[..<size])
    }
}
