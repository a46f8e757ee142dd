package import HTTPServing

/// The answers to signed webhooks: one set for all requests of a process.
package struct WebhookAnswers: Sendable {
    /// The answer to a request whose event is durable, or queued where that is enough.
    package let accepted: Response
    /// Makes the answer to a request whose event was not taken, or not in time, counts the refusal and notes it.
    package let refused: @Sendable (WebhookRefusal) -> Response
    /// The refused requests of the process.
    package let rejections: WebhookRejections

    package init(
        accepted: Response, rejections: WebhookRejections = WebhookRejections(),
        refused: @escaping @Sendable (WebhookRefusal) -> Response
    ) {
        self.accepted = accepted
        self.rejections = rejections
        self.refused = refused
    }
}
