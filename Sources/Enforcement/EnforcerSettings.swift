package import HTTPClient
import LiveKit

/// How sessions that were replaced are removed.
package struct EnforcerSettings: Sendable {
    /// Where the call goes.
    package let endpoint: EndpointURL
    /// The header `User-Agent`.
    package let userAgent: String
    /// From the start of a request to the end of its answer. LiveKit itself waits 3 s for the node of the room.
    package var timeout = Duration.seconds(10)
    package var connectTimeout = Duration.seconds(5)
    package var minBackoff = Duration.milliseconds(500)
    package var maxBackoff = Duration.seconds(8)

    /// Fails with nil where the server's URL is none.
    package init?(serverURL: String, userAgent: String) {
        guard let endpoint = EndpointURL(serverURL + RoomService.removeParticipantPath) else { return nil }
        self.endpoint = endpoint
        self.userAgent = userAgent
    }
}
