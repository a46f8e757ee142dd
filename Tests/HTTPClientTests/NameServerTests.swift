import Platform
import TestSupport
import Testing

@testable import HTTPClient

/// Host names, name servers that are silent, and hosts that move.
@Suite(.enabled(if: PrivateNames.isAllowed, "mounting needs root")) struct NameServerTests {
    private static func url(_ host: String, _ port: UInt16) throws -> EndpointURL {
        try #require(EndpointURL("http://\(host):\(port)/write"))
    }

    /// Waits until this many requests have ended.
    private static func finish(_ count: Int, of transport: Transport) -> [Completion] {
        var completions: [Completion] = []
        let deadline = Waits.end
        while completions.count < count && SystemTime().monotonic() < deadline {
            transport.poll(until: deadline, into: &completions)
        }
        return completions
    }

    private static func failure(_ completion: Completion?) throws -> NetworkError {
        guard case .failure(let failure)? = completion?.outcome else {
            throw SystemError("fail", "\(completion.debugDescription)", code: 0)
        }
        return failure
    }

    private static func status(_ completion: Completion?) -> Int {
        if case .response(let response)? = completion?.outcome { response.status } else { 0 }
    }

    /// The search for the addresses of a host that is under way or that ended last.
    private static func lookup(_ host: String) throws -> AddressLookup {
        let transport = try Transport()
        return NameResolver.shared.lookup(
            host, lifetime: .seconds(600), at: SystemTime().monotonic(), waker: transport.waker)
    }

    @Test func `a name server that does not answer fails the request in time, and nobody waits for it`() throws {
        try PrivateNames().run {
            var options = TransportOptions()
            options.connectTimeout = .milliseconds(100)
            let transport = try Transport(options)
            _ = transport.start(Request(.post, try Self.url("silent.example", 80), body: [1]))
            let completion = Self.finish(1, of: transport).first
            let failure = try Self.failure(completion)
            #expect(failure.kind == .resolve)
            #expect(!failure.mayHaveArrived)
            #expect(completion?.deliveries == 0)
            #expect(failure.text.contains("silent.example"))
            #expect(failure.text.contains("no name server has answered within"))
            // The search has not ended: the failure did not wait for it.
            #expect(try !Self.lookup("silent.example").isOver)
        }
    }

    @Test func `cancelling a request and ending a transport wait for no name server`() throws {
        try PrivateNames().run {
            var transport: Transport? = try Transport()
            let id = transport?.start(Request(.post, try Self.url("cancelled.example", 80), body: [1]))
            _ = transport?.start(Request(.post, try Self.url("cancelled.example", 80), body: [2]))
            #expect(transport?.activeCount == 2)
            if let id { transport?.cancel(id) }
            #expect(transport?.activeCount == 1)
            transport = nil
            #expect(try !Self.lookup("cancelled.example").isOver)
        }
    }

    @Test func `the wait lasts until its deadline while a name server is silent`() throws {
        try PrivateNames().run {
            let time = SystemTime()
            let transport = try Transport()
            _ = transport.start(Request(.post, try Self.url("slow.example", 80), timeout: Waits.limit))
            var completions: [Completion] = []
            for _ in 0..<3 {
                let deadline = time.monotonic() + .milliseconds(20)
                transport.poll(until: deadline, into: &completions)
                #expect(time.monotonic() >= deadline)
            }
            #expect(completions.isEmpty)
            #expect(try !Self.lookup("slow.example").isOver)
        }
    }

    @Test func `one search serves all requests and transports that ask for the same name`() throws {
        try PrivateNames().run {
            let transports = try (0..<3).map { _ in try Transport() }
            for transport in transports {
                for _ in 0..<50 { _ = transport.start(Request(.post, try Self.url("shared.example", 80), body: [1])) }
            }
            let first = try Self.lookup("shared.example")
            #expect(!first.isOver)
            #expect(try Self.lookup("shared.example") === first)
        }
    }

    @Test func `more names than there may be threads fail at once`() throws {
        try PrivateNames().run {
            let resolver = NameResolver()
            let waker = try Transport().waker
            let lookups = (0...NameResolver.Limits.threads).map { number in
                resolver.lookup(
                    "many-\(number).example", lifetime: .zero, at: SystemTime().monotonic(), waker: waker)
            }
            #expect(lookups.count { !$0.isOver } == NameResolver.Limits.threads)
            #expect(lookups.last?.outcome == .failed("too many other names are being resolved"))
        }
    }

    @Test func `a name with several addresses is tried at each`() throws {
        // Nobody listens at the first one.
        let receiver = try ScriptedReceiver(host: 3)
        try PrivateNames(hosts: [("two.example", "127.0.0.2"), ("two.example", "127.0.0.3")]).run {
            let transport = try Transport()
            _ = transport.start(Request(.post, try Self.url("Two.Example", receiver.port), body: [1]))
            #expect(Self.status(Self.finish(1, of: transport).first) == 204)
            #expect(receiver.requests.first?.headers["host"] == "Two.Example:\(receiver.port)")
        }
    }

    @Test func `a name with a dot at its end is found`() throws {
        let receiver = try ScriptedReceiver()
        try PrivateNames(hosts: [("dot.example", "127.0.0.1"), ("dot.example.", "127.0.0.1")]).run {
            let transport = try Transport()
            _ = transport.start(Request(.post, try Self.url("dot.example.", receiver.port), body: [1]))
            #expect(Self.status(Self.finish(1, of: transport).first) == 204)
        }
    }

    @Test func `a host that moved is followed when its connection has ended`() throws {
        let (old, new) = try ScriptedReceiver.pair()
        let names = try PrivateNames(hosts: [("moving.example", "127.0.0.1")])
        try names.run {
            var options = TransportOptions()
            options.addressLifetime = .zero
            options.connectionLifetime = .seconds(1)
            let transport = try Transport(options)
            let request = Request(.post, try Self.url("moving.example", old.port), body: [1], timeout: Waits.limit)
            _ = transport.start(request)
            #expect(Self.status(Self.finish(1, of: transport).first) == 204)
            #expect(old.requests.count == 1)
            try names.change(hosts: [("moving.example", "127.0.0.2")])
            // Both hosts work all the time, so only the age of the connection ends it.
            let isFollowed = eventually {
                _ = transport.start(request)
                return Self.status(Self.finish(1, of: transport).first) == 204 && new.requests.count > 0
            }
            #expect(isFollowed)
            #expect(old.connectionCount == 1)
            // It stays there.
            let before = old.requests.count
            _ = transport.start(request)
            #expect(Self.status(Self.finish(1, of: transport).first) == 204)
            #expect(old.requests.count == before)
        }
    }

    @Test func `a host that was known stays in use while no name server answers`() throws {
        let receiver = try ScriptedReceiver()
        let names = try PrivateNames(hosts: [("former.example", "127.0.0.1")])
        try names.run {
            var options = TransportOptions()
            options.addressLifetime = .zero
            let request = Request(.post, try Self.url("former.example", receiver.port), body: [1])
            let first = try Transport(options)
            _ = first.start(request)
            #expect(Self.status(Self.finish(1, of: first).first) == 204)
            try names.change(hosts: [])
            // Another transport has no connection to go on with.
            let second = try Transport(options)
            for _ in 0..<3 {
                _ = second.start(request)
                #expect(Self.status(Self.finish(1, of: second).first) == 204)
            }
            #expect(receiver.connectionCount == 2)
            #expect(try !Self.lookup("former.example").isOver)
        }
    }
}

extension ScriptedReceiver {
    /// Two receivers at the same port, of 127.0.0.1 and 127.0.0.2.
    fileprivate static func pair() throws -> (ScriptedReceiver, ScriptedReceiver) {
        let port = FixedPorts.pick()
        return (try ScriptedReceiver(port: port), try ScriptedReceiver(port: port, host: 2))
    }
}
