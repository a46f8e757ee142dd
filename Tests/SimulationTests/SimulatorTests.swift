import LiveKit
import Platform
import Simulation
import TestSupport
import Testing
import Wire

/// The simulator against a receiver that does not always want to.
@Suite struct SimulatorTests {
    static func options(port: UInt16, _ arguments: [String] = []) throws -> SimulateOptions {
        try SimulateOptions(
            arguments: [
                "--url", "http://127.0.0.1:\(port)", "--orgs", "1", "--rooms", "3", "--users", "8", "--duration", "20m",
                "--speed", "2400", "--seed", "5", "--connections", "6",
            ] + arguments, environment: ["LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"])
    }

    private static func withoutRepeats(_ ids: [String]) -> [String] {
        ids.enumerated().filter { $0.offset == 0 || ids[$0.offset - 1] != $0.element }.map(\.element)
    }

    @Test func `each key keeps its order and every webhook arrives, though some are refused or cut off`() throws {
        let refused = ScriptedReceiver.Answer(503, headers: ["Retry-After": "0"])
        let good = ScriptedReceiver.Answer(200)
        let receiver = try ScriptedReceiver(
            script: [good, refused, refused, good, good, .close, good, ScriptedReceiver.Answer(429), .reset],
            otherwise: ScriptedReceiver.Answer(200, delay: .milliseconds(1)))
        let options = try Self.options(port: receiver.port)
        let simulator = try Simulator(options)
        simulator.run(every: .seconds(1)) { _, _ in }

        var office = Office(size: options.size, seed: options.seed)
        var truth = Truth()
        var keys: [String: String] = [:]
        var expected: [String: [String]] = [:]
        while let webhook = office.next() {
            truth.count(webhook, shift: TimeShift(seconds: 0))
            let id = try #require(Text.field("id", of: webhook.message.body(shift: TimeShift(seconds: 0))))
            keys[id] = webhook.key
            expected[webhook.key, default: []].append(id)
        }
        var arrived: [String: [String]] = [:]
        for request in receiver.requests {
            let id = try #require(Text.field("id", of: request.body))
            arrived[try #require(keys[id]), default: []].append(id)
        }
        #expect(Set(arrived.keys) == Set(expected.keys))
        for (key, ids) in expected {
            #expect(Self.withoutRepeats(arrived[key] ?? []) == Self.withoutRepeats(ids), "\(key)")
        }
        #expect(simulator.isComplete)
        #expect(simulator.tally.isFlawless)
        // Of a kept-alive connection that was cut, the transport may have made a second delivery by itself.
        #expect(simulator.tally.retried == 3 + simulator.tally.unanswered)
        #expect(
            simulator.truth.samples(project: "p", region: "r") == truth.samples(project: "p", region: "r"))
    }

    @Test func `the truth does not depend on the order of webhooks with different keys`() throws {
        let options = try Self.options(port: 1)
        var office = Office(size: options.size, seed: options.seed)
        var (inOrder, byKey) = (Truth(), Truth())
        var webhooks: [String: [SimulatedWebhook]] = [:]
        while let webhook = office.next() {
            inOrder.count(webhook, shift: TimeShift(seconds: 0))
            webhooks[webhook.key, default: []].append(webhook)
        }
        #expect(webhooks.count > 5)
        for (_, ofKey) in webhooks.sorted(by: { $0.key > $1.key }) {
            for webhook in ofKey { byKey.count(webhook, shift: TimeShift(seconds: 0)) }
        }
        #expect(inOrder.samples(project: "p", region: "r") == byKey.samples(project: "p", region: "r"))
    }

    @Test func `what is newest signs in place of what was there at the start`() throws {
        let receiver = try ScriptedReceiver(otherwise: ScriptedReceiver.Answer(200))
        let signers = [TokenSigner(key: "next", secret: Secret("next-secret"))]
        let simulator = try Simulator(try Self.options(port: receiver.port)) { signers.last }
        simulator.run(every: .seconds(1)) { _, _ in }
        let verifier = TokenVerifier(keys: ["next": Secret("next-secret")], leeway: .seconds(300))
        #expect(!receiver.requests.isEmpty)
        for request in receiver.requests {
            let verdict = verifier.verify(
                authorization: request.headers["authorization"], body: request.body.span, at: SystemTime().now())
            #expect(verdict == .accepted(key: "next"))
        }
    }

    @Test func `tokens are LiveKit's, made once for each webhook`() throws {
        let receiver = try ScriptedReceiver(
            script: [ScriptedReceiver.Answer(500, headers: [:])], otherwise: ScriptedReceiver.Answer(200))
        let simulator = try Simulator(try Self.options(port: receiver.port))
        simulator.run(every: .seconds(1)) { _, _ in }
        let verifier = TokenVerifier(keys: ["key": Secret("secret")], leeway: .seconds(1))
        let now = SystemTime().now()
        for request in receiver.requests {
            #expect(request.method == "POST")
            #expect(request.target == "/webhook")
            #expect(request.headers["content-type"] == "application/webhook+json")
            #expect(request.headers["user-agent"] == "LiveKit")
            let verdict = verifier.verify(
                authorization: request.headers["authorization"], body: request.body.span, at: now)
            guard case .accepted = verdict else {
                Issue.record("\(verdict)")
                return
            }
        }
        let first = try #require(receiver.requests.first)
        let again = try #require(receiver.requests.dropFirst().first { $0.body == first.body })
        #expect(again.headers["authorization"] == first.headers["authorization"])
    }

    @Test func `a stop ends it at once, with what was counted so far`() throws {
        let receiver = try ScriptedReceiver(otherwise: ScriptedReceiver.Answer(200))
        let simulator = try Simulator(try Self.options(port: receiver.port, ["--speed", "60", "--duration", "8h"]))
        let stop = simulator.stop
        let watcher = NamedThread(name: "watcher") {
            _ = receiver.waitForAnswers(1)
            stop.raise()
        }
        simulator.run(every: .milliseconds(50)) { _, _ in }
        watcher.join()
        #expect(!simulator.isComplete)
        #expect(simulator.tally.isFlawless)
        #expect(simulator.truth.events.values.reduce(0, +) >= 1)
    }

    @Test func `what is answered 401 is delivered for LiveKit, but counts for nothing`() throws {
        let receiver = try ScriptedReceiver(otherwise: ScriptedReceiver.Answer(401))
        let simulator = try Simulator(try Self.options(port: receiver.port))
        simulator.run(every: .seconds(1)) { _, _ in }
        #expect(simulator.isComplete)
        #expect(simulator.tally.retried == 0)
        #expect(!simulator.tally.isFlawless)
        #expect(simulator.truth.accounts.isEmpty)
    }
}
