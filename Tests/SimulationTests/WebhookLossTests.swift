import LiveKit
import Simulation
import TestSupport
import Testing

/// Webhooks that are never sent.
@Suite struct WebhookLossTests {
    @Test func `about the share is lost, by the seed, and duplicates with the first`() {
        let webhooks = OfficeTests.afternoon()
        let ids = { (seed: UInt64) in
            let loss = WebhookLoss(share: 0.1, seed: seed)
            return webhooks.indices.filter { loss.takes(webhooks[$0]) }
        }
        let lost = ids(1)
        #expect(lost == ids(1) && lost != ids(2))
        #expect((0.07...0.13).contains(Double(lost.count) / Double(webhooks.count)))
        let loss = WebhookLoss(share: 0.5, seed: 1)
        for (first, second) in zip(webhooks, webhooks.dropFirst()) where second.novelty == .duplicate {
            #expect(loss.takes(first) == loss.takes(second))
        }
        #expect(!webhooks.contains { WebhookLoss(share: 0, seed: 1).takes($0) })
        #expect(webhooks.allSatisfy { WebhookLoss(share: 1, seed: 1).takes($0) })
    }

    @Test func `what is lost is not sent and not in the truth, but in that of the world`() throws {
        let receiver = try ScriptedReceiver(otherwise: ScriptedReceiver.Answer(200))
        let options = try SimulatorTests.options(port: receiver.port, ["--lose", "20%"])
        let simulator = try Simulator(options)
        simulator.run(every: .seconds(1)) { _, _ in }

        let loss = WebhookLoss(share: 0.2, seed: options.seed)
        var office = Office(size: options.size, seed: options.seed)
        var (told, world) = (Truth(), Truth())
        var (sent, lost) = (0, 0)
        while let webhook = office.next() {
            world.count(webhook, shift: TimeShift(seconds: 0))
            if loss.takes(webhook) {
                lost += 1
            } else {
                sent += 1
                told.count(webhook, shift: TimeShift(seconds: 0))
            }
        }
        #expect(lost > 10 && simulator.tally.withheld == lost)
        #expect(simulator.tally.isFlawless && simulator.tally.answered == sent)
        let samples = { (truth: Truth) in truth.samples(project: "p", region: "r") }
        #expect(samples(simulator.truth) == samples(told))
        #expect(samples(simulator.worldTruth) == samples(world))
        #expect(samples(told) != samples(world))
    }
}
