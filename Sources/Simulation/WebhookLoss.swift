/// Decides which webhooks never arrive. It is pure: the same seed loses the same ones.
package struct WebhookLoss: Sendable {
    private let share: Double
    private let lot: Lot

    /// - Parameter share: the probability that a webhook is lost, from 0 to 1.
    package init(share: Double, seed: UInt64) {
        precondition((0...1).contains(share), "a share is a part of the whole")
        self.share = share
        lot = Lot(seed: seed)
    }

    /// Returns true if the webhook is lost. A duplicate of a lost one is lost, too; a restatement has a lot of its own.
    package func takes(_ webhook: SimulatedWebhook) -> Bool { lot.happens(share, "lose \(webhook.message.id)") }
}
