package import HTTPClient
import LiveKit

/// The settings for the removal of replaced sessions.
package struct EnforcerSettings: Sendable {
    /// The URL of the call.
    package let endpoint: EndpointURL
    /// The header `User-Agent`.
    package let userAgent: String
    /// The limit for the time from the start of a request to the end of its answer. LiveKit itself waits 3 s for the
    /// room's node.
    package var timeout = Duration.seconds(10)
    package var connectTimeout = Duration.seconds(5)
    package var minBackoff = Duration.milliseconds(500)
    package var maxBackoff = Duration.seconds(8)
    /// What the environment says about connections.
    package var network = NetworkEnvironment()

    /// Returns nil if the server's URL is not valid.
    package init?(serverURL: String, userAgent: String) {
        guard let endpoint = EndpointURL(serverURL + RoomService.removeParticipantPath) else { return nil }
        self.endpoint = endpoint
        self.userAgent = userAgent
    }
}
