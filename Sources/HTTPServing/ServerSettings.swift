package import Platform

/// The settings of a server.
package struct ServerSettings: Sendable {
    /// The longest body; a longer one is answered 413.
    package var maxBody: ByteCount
    /// The most connections at one time. When all are used, the oldest incomplete request is closed.
    package var maxConnections: Int
    package var headerTimeout: Duration
    package var requestTimeout: Duration
    package var idleTimeout: Duration
    package var answerTimeout: Duration

    package init(
        maxBody: ByteCount, maxConnections: Int, headerTimeout: Duration = Limits.header,
        requestTimeout: Duration = Limits.request, idleTimeout: Duration = Limits.idle,
        answerTimeout: Duration = Limits.answer
    ) {
        self.maxBody = maxBody
        self.maxConnections = maxConnections
        self.headerTimeout = headerTimeout
        self.requestTimeout = requestTimeout
        self.idleTimeout = idleTimeout
        self.answerTimeout = answerTimeout
    }
}
