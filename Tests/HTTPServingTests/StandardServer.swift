import HTTPServing
import Platform

// The settings of tests that are about something else.

extension ServerSettings {
    init(
        maxBody: ByteCount = .mebibytes(4), headerTimeout: Duration = Limits.header,
        requestTimeout: Duration = Limits.request, idleTimeout: Duration = Limits.idle,
        answerTimeout: Duration = Limits.answer
    ) {
        self.init(
            maxBody: maxBody, maxConnections: 4_000, headerTimeout: headerTimeout, requestTimeout: requestTimeout,
            idleTimeout: idleTimeout, answerTimeout: answerTimeout)
    }

    init(
        maxConnections: Int, headerTimeout: Duration = Limits.header, requestTimeout: Duration = Limits.request,
        idleTimeout: Duration = Limits.idle
    ) {
        self.init(
            maxBody: .mebibytes(4), maxConnections: maxConnections, headerTimeout: headerTimeout,
            requestTimeout: requestTimeout, idleTimeout: idleTimeout)
    }
}

extension Server {
    convenience init(listen: ListenAddress, routes: [Route]) throws(ServingError) {
        try self.init(listen: listen, routes: routes, settings: ServerSettings())
    }
}
