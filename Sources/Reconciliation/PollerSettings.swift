package import HTTPClient
import LiveKit

/// The settings for the polls of LiveKit's API.
package struct PollerSettings: Sendable {
    /// The URL of the server, without a path of its own.
    package let server: EndpointURL
    /// The URLs of the calls, by path.
    private let endpoints: [String: EndpointURL]
    /// The header `User-Agent`.
    package let userAgent: String
    /// The time from one poll to the next, give or take a tenth.
    package let interval: Duration
    /// The key in a room's metadata that names its organization; nil if nobody asks for it.
    package var metadataKey: String?
    /// What the environment says about connections.
    package var network = NetworkEnvironment()
    /// The limits for the time from the start of a request to the end of its answer: a list may have megabytes, the answer
    /// about one room or job has not.
    package var listTimeout = Duration.seconds(30)
    package var timeout = Duration.seconds(10)
    package var connectTimeout = Duration.seconds(10)
    /// The largest answer: 50,000 rooms with 300 bytes each. All pages of a list together are limited by the same.
    package var answer_bytes_max = 16 << 20

    /// Returns nil if the server's URL is not valid.
    package init?(serverURL: String, userAgent: String, interval: Duration) {
        guard let server = EndpointURL(serverURL) else { return nil }
        self.server = server
        var endpoints: [String: EndpointURL] = [:]
        for call: ServerCall in [.listRooms(), .listParticipants(room: ""), .listEgress(.all), .listIngress()] {
            endpoints[call.path] = EndpointURL(serverURL + call.path)
        }
        self.endpoints = endpoints
        self.userAgent = userAgent
        self.interval = interval
    }

    /// The URL of a call.
    func endpoint(of call: ServerCall) -> EndpointURL {
        guard let endpoint = endpoints[call.path] else { preconditionFailure("each call has a URL") }
        return endpoint
    }
}
