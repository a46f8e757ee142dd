import HTTPServing
import Platform

extension Server {
    /// A server of a test that is about something else.
    convenience init(listen: ListenAddress, routes: [Route]) throws(ServingError) {
        try self.init(
            listen: listen, routes: routes, settings: ServerSettings(maxBody: .mebibytes(4), maxConnections: 4_000))
    }
}
