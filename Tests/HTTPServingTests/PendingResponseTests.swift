import HTTPServing
import Platform
import Synchronization
import TestSupport
import Testing

/// A server whose only route keeps its pending responses for the test.
private final class Waiting: Sendable {
    let pendings = Monitor<[PendingResponse]>([])
    let fallbacks = Atomic(0)

    func serve(_ patience: Duration) throws -> Server {
        let route = Route(.post, "/later") { _, _ in
            let pending = PendingResponse(deadline: SystemTime().monotonic() + patience) {
                self.fallbacks.add(1, ordering: .relaxed)
                return .text(503, "too late")
            }
            self.pendings.change { $0.append(pending) }
            return .wait(pending)
        }
        return try Server(listen: ListenAddress("127.0.0.1:0"), routes: [route])
    }

    /// Takes the pending responses once `count` of them are there.
    func take(_ count: Int) -> [PendingResponse] {
        pendings.wait(until: Waits.end) { pendings in
            guard pendings.count >= count else { return nil }
            let all = pendings
            pendings.removeAll()
            return all
        } ?? []
    }
}

@Suite struct PendingResponseTests {
    @Test func `another thread completes it, and the connection goes on`() throws {
        let waiting = Waiting()
        let server = try waiting.serve(Waits.limit)
        let client = try RawHTTP(port: server.address.port)
        for round in 0..<3 {
            client.send(RawHTTP.request("POST", "/later", body: [1]))
            let pending = try #require(waiting.take(1).first)
            #expect(pending.complete(.text(200, "done \(round)")))
            #expect(!pending.complete(.text(500, "second")))
            let reply = try #require(client.receive())
            #expect(reply.text == "done \(round)")
        }
        #expect(waiting.fallbacks.load(ordering: .relaxed) == 0)
    }

    @Test func `the deadline answers where nobody did, once, and later answers lose`() throws {
        let waiting = Waiting()
        let server = try waiting.serve(.milliseconds(200))
        let client = try RawHTTP(port: server.address.port)
        let start = SystemTime().monotonic()
        let reply = try #require(client.ask("POST", "/later", body: [1]))
        let took = SystemTime().monotonic().since(start)
        #expect(reply.status == 503)
        #expect(took >= .milliseconds(200))
        #expect(Promptness.holds(took, within: .seconds(1)))
        let pending = try #require(waiting.take(1).first)
        #expect(!pending.claim())
        #expect(waiting.fallbacks.load(ordering: .relaxed) == 1)
    }

    @Test func `an answer that is there already is sent at once`() throws {
        let route = Route(.get, "/ready") { _, _ in
            let pending = PendingResponse(deadline: Waits.end) { .text(503, "") }
            pending.complete(.text(200, "already"))
            return .wait(pending)
        }
        let server = try Server(listen: ListenAddress("127.0.0.1:0"), routes: [route])
        let client = try RawHTTP(port: server.address.port)
        for _ in 0..<5 { #expect(client.ask("GET", "/ready")?.text == "already") }
    }

    @Test func `many connections wait and each gets its own answer`() throws {
        let waiting = Waiting()
        let server = try waiting.serve(Waits.limit)
        let clients = try (0..<100).map { _ in try RawHTTP(port: server.address.port) }
        for round in 0..<5 {
            for client in clients { client.send(RawHTTP.request("POST", "/later", body: [1])) }
            let pendings = waiting.take(clients.count)
            #expect(pendings.count == clients.count)
            for pending in pendings.reversed() { pending.complete(.text(200, "round \(round)")) }
            for client in clients { #expect(client.receive()?.text == "round \(round)") }
        }
    }

    @Test func `thousands of waits in a row lose none`() throws {
        let waiting = Waiting()
        let server = try waiting.serve(Waits.limit)
        let port = server.address.port
        let total = 64 * 200
        let answerer = NamedThread(name: "answerer") {
            let answer = Response(status: 200)
            var left = total
            while left > 0 {
                let pendings = waiting.take(1)
                if pendings.isEmpty { return }
                for pending in pendings { pending.complete(answer) }
                left -= pendings.count
            }
        }
        let good = Atomic(0)
        let clients = (0..<4).map { index in
            NamedThread(name: "clients-\(index)") {
                let clients = (0..<16).compactMap { _ in try? RawHTTP(port: port) }
                for _ in 0..<200 {
                    for client in clients { client.send(RawHTTP.request("POST", "/later", body: [1])) }
                    for client in clients where client.receive()?.status == 200 { good.add(1, ordering: .relaxed) }
                }
            }
        }
        for thread in clients { thread.join() }
        answerer.join()
        #expect(good.load(ordering: .relaxed) == total)
        #expect(server.stop(deadline: Waits.end) == .finished)
    }

    @Test func `claims and deadlines that race leave one answer each`() throws {
        let waiting = Waiting()
        let server = try waiting.serve(.milliseconds(20))
        let clients = try (0..<20).map { _ in try RawHTTP(port: server.address.port) }
        var statuses: [Int: Int] = [:]
        var won = 0
        for _ in 0..<20 {
            for client in clients { client.send(RawHTTP.request("POST", "/later", body: [1])) }
            let pendings = waiting.take(clients.count)
            // About now the deadlines fall due.
            let due = pendings.map(\.deadline).min() ?? SystemTime().monotonic()
            _ = Monitor(()).wait(until: due) { _ -> Void? in nil }
            for pending in pendings where pending.complete(.text(200, "")) { won += 1 }
            for client in clients { statuses[client.receive()?.status ?? 0, default: 0] += 1 }
        }
        #expect(statuses[200, default: 0] == won)
        #expect(statuses[503, default: 0] == waiting.fallbacks.load(ordering: .relaxed))
        #expect(statuses[200, default: 0] + statuses[503, default: 0] == 400)
    }

    @Test func `a client that leaves while it waits harms nobody`() throws {
        let waiting = Waiting()
        let server = try waiting.serve(Waits.limit)
        do {
            let leaver = try RawHTTP(port: server.address.port)
            leaver.send(RawHTTP.request("POST", "/later", body: [1]))
            let pending = try #require(waiting.take(1).first)
            withExtendedLifetime(leaver) {}
            #expect(pending.claim())
            pending.respond(.text(200, "nobody is there"))
        }
        let client = try RawHTTP(port: server.address.port)
        client.send(RawHTTP.request("POST", "/later", body: [1]))
        waiting.take(1).first?.complete(.text(200, "here"))
        #expect(client.receive()?.text == "here")
    }
}

@Suite struct StopTests {
    private var soon: MonotonicTime { Waits.end }

    @Test func `after stopAccepting connections are refused and idle ones closed`() throws {
        let waiting = Waiting()
        let server = try waiting.serve(Waits.limit)
        let idle = try RawHTTP(port: server.address.port)
        let half = try RawHTTP(port: server.address.port)
        half.send("POST /later HTTP/1.1\r\nHost: test\r\nContent-Le")
        let waiter = try RawHTTP(port: server.address.port)
        waiter.send(RawHTTP.request("POST", "/later", body: [1]))
        let pending = try #require(waiting.take(1).first)
        server.stopAccepting()
        #expect(throws: SystemError.self) { try RawHTTP(port: server.address.port) }
        #expect(idle.isClosed())
        #expect(half.isClosed())
        #expect(pending.complete(.text(200, "accepted before")))
        #expect(waiter.receive()?.text == "accepted before")
        #expect(waiter.isClosed())
        #expect(server.stop(deadline: soon) == .finished)
    }

    @Test func `stop waits for what was accepted`() throws {
        let waiting = Waiting()
        let server = try waiting.serve(Waits.limit)
        let client = try RawHTTP(port: server.address.port)
        client.send(RawHTTP.request("POST", "/later", body: [1]))
        let pending = try #require(waiting.take(1).first)
        let outcome = Monitor<Server.Stop?>(nil)
        let deadline = soon
        let thread = NamedThread(name: "stopper") {
            let stop = server.stop(deadline: deadline)
            outcome.change { $0 = stop }
        }
        #expect(outcome.wait(until: SystemTime().monotonic() + .milliseconds(100)) { $0 } == nil)
        pending.complete(.text(200, "last"))
        #expect(client.receive()?.text == "last")
        thread.join()
        #expect(outcome.withLock { $0 } == .finished)
    }

    @Test func `at the deadline of a stop everything that waits gets its fallback`() throws {
        let waiting = Waiting()
        let server = try waiting.serve(Waits.limit)
        let clients = try (0..<20).map { _ in try RawHTTP(port: server.address.port) }
        for client in clients { client.send(RawHTTP.request("POST", "/later", body: [1])) }
        let pendings = waiting.take(clients.count)
        #expect(server.stop(deadline: SystemTime().monotonic() + .milliseconds(50)) == .cut)
        for client in clients { #expect(client.receive()?.status == 503) }
        for pending in pendings { #expect(!pending.complete(.text(200, ""))) }
        #expect(server.stop(deadline: soon) == .finished)
    }

    @Test func `at the deadline of a stop a request whose handler still runs gets its fallback too`() throws {
        let (hasBegun, mayEnd) = (Monitor(false), Monitor(false))
        let route = Route(.post, "/later") { _, _ in
            hasBegun.change { $0 = true }
            _ = mayEnd.wait(until: nil) { $0 ? true : nil }
            return .wait(PendingResponse(deadline: Waits.end) { .text(503, "too late") })
        }
        let server = try Server(listen: ListenAddress("127.0.0.1:0"), routes: [route])
        let client = try RawHTTP(port: server.address.port)
        client.send(RawHTTP.request("POST", "/later", body: [1]))
        #expect(hasBegun.wait(until: Waits.end) { $0 ? true : nil } == true)
        let stopper = NamedThread(name: "stopper") { server.stop(deadline: SystemTime().monotonic()) }
        // Nothing tells that the deadline was dealt with; it takes less than this.
        _ = Monitor(()).wait(until: SystemTime().monotonic() + .milliseconds(200)) { _ -> Void? in nil }
        mayEnd.change { $0 = true }
        #expect(client.receive()?.status == 503)
        stopper.join()
    }

    @Test func `a server that nobody stopped stops when it is given up`() throws {
        let waiting = Waiting()
        var server: Server? = try waiting.serve(Waits.limit)
        let port = try #require(server?.address.port)
        let client = try RawHTTP(port: port)
        client.send(RawHTTP.request("POST", "/later", body: [1]))
        #expect(waiting.take(1).count == 1)
        server = nil
        #expect(client.receive()?.status == 503)
        #expect(throws: SystemError.self) { try RawHTTP(port: port) }
    }

    @Test func `a stop in the middle of answers loses none that was owed`() throws {
        for _ in 0..<20 {
            let waiting = Waiting()
            let server = try waiting.serve(Waits.limit)
            let clients = try (0..<10).map { _ in try RawHTTP(port: server.address.port) }
            for client in clients { client.send(RawHTTP.request("POST", "/later", body: [1])) }
            let pendings = waiting.take(clients.count)
            let thread = NamedThread(name: "answerer") {
                for pending in pendings { pending.complete(.text(200, "")) }
            }
            #expect(server.stop(deadline: soon) == .finished)
            thread.join()
            for client in clients { #expect(client.receive()?.status == 200) }
        }
    }

    @Test func `requests that race with a stop are answered or closed, never half`() throws {
        for _ in 0..<20 {
            let route = Route(.post, "/count") { _, body in .respond(.text(200, "\(body.count)")) }
            let server = try Server(listen: ListenAddress("127.0.0.1:0"), routes: [route])
            let clients = try (0..<10).map { _ in try RawHTTP(port: server.address.port) }
            let thread = NamedThread(name: "stopper") { [deadline = soon] in server.stop(deadline: deadline) }
            for client in clients {
                let reply = client.ask("POST", "/count", body: [1, 2])
                #expect(reply == nil || (reply?.status == 200 && reply?.text == "2"))
            }
            thread.join()
        }
    }
}
