import Platform
import TestSupport
import Testing

/// The tools of these tests. The other suites depend on what they promise.
@Suite struct TestToolsTests {
    private func webhook(_ key: String, _ text: String) -> RetryingSender.Webhook {
        RetryingSender.Webhook(key: key, token: "token", body: Array(text.utf8))
    }

    @Test func `the next webhook of a room leaves when the one before was answered`() throws {
        let receiver = try ScriptedReceiver(
            script: [.init(503), .reset, .init(429), .init(500), .init(200)], otherwise: .init(200))
        let sender = RetryingSender(
            [webhook("a", "1"), webhook("a", "2"), webhook("a", "3")], to: receiver.port,
            patience: .untilAnswered(scaledBy: 0.001))
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        #expect(
            receiver.requests.map { String(decoding: $0.body, as: UTF8.self) } == ["1", "1", "1", "1", "1", "2", "3"])
        #expect(record.outcomes.map(\.attempts) == [5, 1, 1])
        #expect(record.outcomes[0].unanswered == 1)
        #expect(record.outcomes[0].refusals == [503: 1, 429: 1, 500: 1])
        #expect(record.accepted == 3 && record.lost == 0)
    }

    @Test func `a 4xx is delivered, and LiveKit gives up after five attempts`() throws {
        let receiver = try ScriptedReceiver(script: [.init(401)], otherwise: .init(503, headers: ["Retry-After": "1"]))
        let patience = RetryingSender.Patience.liveKit(scaledBy: 0.001)
        let sender = RetryingSender([webhook("a", "1"), webhook("a", "2")], to: receiver.port, patience: patience)
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        #expect(record.outcomes.map(\.attempts) == [1, 5])
        #expect(record.outcomes.map(\.status) == [401, nil])
        #expect(record.lost == 1)
        #expect(record.retryAfters == 5)
    }

    @Test func `a receiver that comes back on its port is found again`() throws {
        let port = FixedPorts.pick()
        let sender = RetryingSender([webhook("a", "1")], to: port, patience: .untilAnswered(scaledBy: 0.001))
        #expect(sender.wait { $0.unanswered >= 2 })
        let receiver = try ScriptedReceiver(port: port, otherwise: .init(200))
        #expect(sender.waitUntilAllSettled())
        #expect(sender.stop().accepted == 1)
        #expect(receiver.requests.count == 1)
    }

    @Test func `rooms do not wait for each other`() throws {
        let receiver = try ScriptedReceiver(script: [.hang], otherwise: .init(200))
        let sender = RetryingSender(
            ["a", "b"].flatMap { key in (0..<5).map { webhook(key, "\($0)") } }, to: receiver.port, connections: 2,
            patience: .untilAnswered(scaledBy: 0.001))
        #expect(sender.wait(untilSettled: 5))
        receiver.stop()
        _ = sender.stop()
    }

    @Test func `a failed attempt moves on to the next receiver, and an answer that does not come is given up`() throws {
        let receivers = [
            try ScriptedReceiver(otherwise: .hang), try ScriptedReceiver(script: [.init(503)], otherwise: .init(200)),
        ]
        let sender = RetryingSender(
            [webhook("a", "1"), webhook("a", "2"), webhook("a", "3")], to: receivers.map(\.port),
            patience: .untilAnswered(scaledBy: 0.001), answer: .seconds(1))
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        #expect(record.outcomes.map(\.attempts) == [4, 1, 1])
        #expect(record.outcomes.map(\.unanswered) == [2, 0, 0])
        #expect(receivers.map { $0.requests.count } == [2, 4])
    }

    @Test func `a connection that one of several receivers has closed is made anew without an attempt`() throws {
        let port = FixedPorts.pick()
        let first = try ScriptedReceiver(port: port, otherwise: .init(200))
        let second = try ScriptedReceiver(otherwise: .init(200, delay: .milliseconds(1)))
        let sender = RetryingSender(
            (1...40).map { webhook("a", "\($0)") }, to: [port, second.port],
            patience: .untilAnswered(scaledBy: 0.001), pace: .milliseconds(20))
        #expect(sender.wait(untilSettled: 3))
        first.stop()
        let again = try ScriptedReceiver(port: port, otherwise: .init(200))
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        #expect(record.accepted == 40)
        #expect(!again.requests.isEmpty)
        // Attempts fail only while nobody listens.
        #expect(record.outcomes.allSatisfy { $0.attempts <= 2 })
    }

    @Test(arguments: FaultyDisk.Death.allCases)
    func `a program dies at the call that it is told to die at`(death: FaultyDisk.Death) throws {
        let folder = TemporaryFolder()
        let disk = try FaultyDisk(root: folder.file("state"), in: folder)
        try FileStore.makeDirectory(folder.file("state"))
        let script = "echo 12345678 >\(folder.file("state/file")); echo alive"
        let result = ChildProcess.run(
            "/bin/sh", ["-c", script],
            environment: disk.environment(dyingAt: 1, death).merging(["PATH": "/usr/bin:/bin"]) { $1 })
        #expect(!result.output.contains("alive"))
        #expect(result.status == 128 + 9)
        let left = try? FileStore.read(folder.file("state/file"))
        #expect(left?.count == [.before: 0, .after: 9, .torn: 4][death])
    }

    @Test func `a disk in trouble fails with its error until it is well`() throws {
        let folder = TemporaryFolder()
        try FileStore.makeDirectory(folder.file("state"))
        let disk = try FaultyDisk(root: folder.file("state"), in: folder)
        let write = {
            ChildProcess.run(
                "/bin/sh", ["-c", "dd if=/dev/zero of=\(folder.file("state/file")) bs=10 count=1 status=none"],
                environment: disk.environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }
            ).output
        }
        #expect(write() == "")
        for (trouble, text) in zip(
            [FaultyDisk.Trouble.full, .readOnly, .broken], ["No space left", "Read-only", "Input/output error"])
        {
            try disk.begin(trouble)
            #expect(write().contains(text))
        }
        try disk.begin(nil)
        #expect(write() == "")
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `a small file system is full, free and read-only when told so`() throws {
        let folder = TemporaryFolder()
        let small = try SmallFileSystem(in: folder)
        let write = { (try? FileStore.replace(small.path + "/file", with: Array(repeating: 1, count: 100))) != nil }
        try small.fill()
        #expect(!write())
        small.free()
        #expect(write())
        try small.remount(isReadOnly: true)
        #expect(!write())
        try small.remount(isReadOnly: false)
        #expect(write())
    }

    @Test func `plans follow from their seeds, and differ between them`() {
        let plans = (0..<50).map { KillPlan(seed: $0, posts: 586) }
        for (seed, plan) in plans.enumerated() {
            #expect(plan.description == KillPlan(seed: UInt64(seed), posts: 586).description)
            #expect(plan.strokes.count >= 3)
        }
        #expect(Set(plans.map(\.description)).count == 50)
    }
}
