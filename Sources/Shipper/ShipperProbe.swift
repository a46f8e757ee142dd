import HTTPClient
package import Platform
import RemoteWrite

/// Sends one empty request, to find out whether a receiver can be reached and accepts the credentials.
package enum ShipperProbe {
    /// The result of the probe.
    package enum Result: Sendable, Equatable, CustomStringConvertible {
        /// The receiver accepted the request.
        case accepted(status: Int)
        /// The receiver gave another answer. The message is its own, at most 1 KiB.
        case refused(status: Int, message: String)
        /// A page for people answered, such as a login.
        case page(status: Int)
        /// No answer came.
        case failed(String)

        package var isAccepted: Bool {
            if case .accepted = self { true } else { false }
        }

        package var description: String {
            switch self {
            case .accepted(let status): "accepted (status \(status))"
            case .refused(let status, let message) where ShipperRequests.isWrongAddress(status):
                "a wrong address, no receiver of remote write answers there (status \(status)): \(message)"
            case .refused(let status, let message): "refused with status \(status): \(message)"
            case .page(let status): "a wrong address, a page answers there (status \(status))"
            case .failed(let text): "no answer: \(text)"
            }
        }
    }

    /// Sends a `WriteRequest` without any series, which stores nothing. Blocks for as long as the time-outs allow.
    package static func run(_ settings: ShipperSettings, time: any TimeSource = SystemTime()) -> Result {
        var requests = ShipperRequests(settings)
        do throws(SecretSource.SecretError) {
            _ = try requests.reload()
        } catch {
            return .failed(error.description)
        }
        do throws(TransportError) {
            let transport = try Transport(ShipperRequests.options(settings), time: time)
            var body: [UInt8] = []
            let size = Snappy.compress([], into: &body)
            _ = transport.start(requests.request(Array(body[..<size]), .v1, retry: 0))
            var completions: [Completion] = []
            while completions.isEmpty { transport.poll(until: nil, into: &completions) }
            switch completions[0].outcome {
            case .failure(let failure): return .failed(failure.description)
            case .response(let response)
            where (200..<300).contains(response.status) && ShipperRequests.isPage(response):
                return .page(status: response.status)
            case .response(let response) where (200..<300).contains(response.status):
                return .accepted(status: response.status)
            case .response(let response):
                return .refused(status: response.status, message: ShipperRequests.words(of: response))
            }
        } catch {
            return .failed(error.description)
        }
    }
}
