package import HTTPServing

/// The answers to signed webhooks: one set for all requests of a process.
package struct WebhookAnswers: Sendable {
    /// The answer to a request whose event is durable, or queued where that is enough.
    package let accepted: Response
    /// Makes the answer to a request whose event was not taken, or not in time, and counts the refusal.
    package let refused: @Sendable (WebhookRefusal) -> Response

    package init(accepted: Response, refused: @escaping @Sendable (WebhookRefusal) -> Response) {
        self.accepted = accepted
        self.refused = refused
    }
}
