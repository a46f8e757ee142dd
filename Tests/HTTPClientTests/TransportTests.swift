import HTTPClient
import Platform
import TestSupport
import Testing

@Suite struct TransportTests {
    private let time = SystemTime()

    private func url(_ receiver: ScriptedReceiver) throws -> EndpointURL {
        try #require(EndpointURL(receiver.url))
    }

    /// Waits until this many requests have ended.
    private func finish(_ count: Int, of transport: Transport) -> [Completion] {
        let deadline = Waits.end
        var completions: [Completion] = []
        while completions.count < count && time.monotonic() < deadline {
            transport.poll(until: deadline, into: &completions)
        }
        return completions
    }

    /// The completion of a request. Its time-out is made longer until something that the test needs happened before it.
    private func ended(
        _ request: Request, of transport: Transport, until isEnough: (Completion) -> Bool
    ) throws -> Completion {
        var request = request
        request.timeout = .milliseconds(200)
        while true {
            _ = transport.start(request)
            let completion = try only(finish(1, of: transport))
            if isEnough(completion) || request.timeout > Waits.limit { return completion }
            request.timeout *= 2
        }
    }

    private func only(_ completions: [Completion]) throws -> Completion {
        try #require(completions.count == 1)
        return completions[0]
    }

    private func response(_ completions: [Completion]) throws -> Response {
        guard case .response(let response) = try only(completions).outcome else {
            Issue.record("no response: \(completions)")
            throw SystemError("respond", "test", code: 0)
        }
        return response
    }

    private func failure(_ completions: [Completion]) throws -> NetworkError {
        guard case .failure(let failure) = try only(completions).outcome else {
            Issue.record("no failure: \(completions)")
            throw SystemError("fail", "test", code: 0)
        }
        return failure
    }

    @Test func `a request arrives as it was made, and its answer comes back`() throws {
        let answer = ScriptedReceiver.Answer(418, headers: ["Retry-After": " 7 ", "X-Other": "no"], body: "short")
        let receiver = try ScriptedReceiver(otherwise: answer)
        let transport = try Transport()
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let headers = try [#require(HTTPHeader("X-One", "1")), #require(HTTPHeader("X-Empty", ""))]
        let id = transport.start(Request(.post, try url(receiver), headers: headers, body: body))
        let completions = finish(1, of: transport)
        let response = try response(completions)
        #expect(completions[0].id == id)
        #expect(completions[0].deliveries == 1)
        #expect(response == Response(status: 418, headers: ["retry-after": "7"], body: Array("short".utf8)))
        let request = try #require(receiver.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/api/v1/write")
        #expect(request.body == body)
        #expect(request.headers["x-one"] == "1")
        #expect(request.headers["x-empty"] == "")
        #expect(request.headers["expect"] == nil)
    }

    @Test func `an empty body is sent as one`() throws {
        let receiver = try ScriptedReceiver()
        let transport = try Transport()
        _ = transport.start(Request(.post, try url(receiver)))
        #expect(try response(finish(1, of: transport)).status == 204)
        #expect(receiver.requests.first?.headers["content-length"] == "0")
    }

    @Test func `one connection serves request after request`() throws {
        let receiver = try ScriptedReceiver()
        let transport = try Transport()
        for _ in 0..<20 {
            _ = transport.start(Request(.post, try url(receiver), body: [1, 2, 3]))
            #expect(try response(finish(1, of: transport)).status == 204)
        }
        #expect(receiver.connectionCount == 1)
        #expect(receiver.requests.count == 20)
    }

    @Test func `hundreds of requests run at once, each with its own answer`() throws {
        let receiver = try ScriptedReceiver()
        let transport = try Transport()
        var open: Set<RequestID> = []
        for number in 0..<300 {
            open.insert(transport.start(Request(.post, try url(receiver), body: [UInt8(number & 0xFF)])))
        }
        let completions = finish(300, of: transport)
        #expect(Set(completions.map(\.id)) == open)
        #expect(transport.activeCount == 0)
        #expect(receiver.requests.count == 300)
    }

    @Test func `a long body is cut, and does not end the wait late`() throws {
        let receiver = try ScriptedReceiver(otherwise: .init(500, body: String(repeating: "long ", count: 2_000)))
        let transport = try Transport()
        _ = transport.start(Request(.post, try url(receiver)))
        let response = try response(finish(1, of: transport))
        #expect(response.status == 500)
        #expect(response.body.count == Transport.Limits.bodyKept_bytes)
    }

    @Test func `a request may ask for more of the body than is read otherwise`() throws {
        let body = String(repeating: "0123456789", count: 20_000)
        let receiver = try ScriptedReceiver(otherwise: .init(200, body: body))
        let transport = try Transport()
        for (kept, expected) in [(1 << 20, body.utf8.count), (150_000, 150_000)] {
            var request = try Request(.get, url(receiver))
            request.bodyKept_bytes = kept
            _ = transport.start(request)
            let response = try response(finish(1, of: transport))
            #expect(response.body.count == expected && response.body.starts(with: body.utf8.prefix(100)))
        }
    }

    @Test(arguments: [ScriptedReceiver.Answer.Behaviour.endlessBody, .stuckBody])
    func `a body that never ends leaves the status`(_ behaviour: ScriptedReceiver.Answer.Behaviour) throws {
        let receiver = try ScriptedReceiver(otherwise: .init(503, headers: ["Retry-After": "3"], behaviour: behaviour))
        let transport = try Transport()
        let completion = try ended(try Request(.post, url(receiver)), of: transport) { completion in
            if case .response = completion.outcome { true } else { false }
        }
        guard case .response(let response) = completion.outcome else {
            Issue.record("no response: \(completion)")
            return
        }
        #expect(response.status == 503)
        #expect(response.headers == ["retry-after": "3"])
        #expect(response.body.count <= Transport.Limits.bodyKept_bytes)
    }

    @Test func `no answer in time is a timeout of something that may have arrived`() throws {
        let receiver = try ScriptedReceiver(otherwise: .hang)
        let transport = try Transport()
        let completion = try ended(try Request(.post, url(receiver), body: [1]), of: transport) { _ in
            !receiver.requests.isEmpty
        }
        let failure = try failure([completion])
        #expect(failure.kind == .timeout)
        #expect(failure.mayHaveArrived)
    }

    @Test(arguments: [ScriptedReceiver.Answer.reset, .close])
    func `a broken connection may have delivered the request`(_ answer: ScriptedReceiver.Answer) throws {
        let receiver = try ScriptedReceiver(otherwise: answer)
        let transport = try Transport()
        _ = transport.start(Request(.post, try url(receiver), body: [1]))
        let failure = try failure(finish(1, of: transport))
        #expect(failure.kind == .reset)
        #expect(failure.mayHaveArrived)
    }

    @Test func `a request sent twice because its connection was dead says so`() throws {
        let receiver = try ScriptedReceiver(script: [.init(204), .close, .init(400)])
        let transport = try Transport()
        _ = transport.start(Request(.post, try url(receiver), body: [1]))
        _ = finish(1, of: transport)
        _ = transport.start(Request(.post, try url(receiver), body: [2]))
        let completion = try only(finish(1, of: transport))
        guard case .response(let response) = completion.outcome else {
            // curl gave up instead of sending again. Then it must report that the request may have arrived.
            #expect(completion.deliveries > 0)
            return
        }
        #expect(response.status == 400)
        #expect(completion.deliveries == 2)
        #expect(receiver.requests.map(\.body) == [[1], [2], [2]])
    }

    @Test func `a refused connection delivered nothing`() throws {
        let url = try #require(EndpointURL("http://127.0.0.1:\(FixedPorts.pick())/"))
        let transport = try Transport()
        _ = transport.start(Request(.post, url, body: [1]))
        let completion = try only(finish(1, of: transport))
        let failure = try failure([completion])
        #expect(failure.kind == .connect)
        #expect(!failure.mayHaveArrived)
        #expect(completion.deliveries == 0)
        #expect(failure.text.contains("127.0.0.1"))
    }

    @Test func `an unknown name is named as such`() throws {
        let transport = try Transport()
        _ = transport.start(Request(.get, try #require(EndpointURL("http://name.invalid/")), timeout: Waits.limit))
        let failure = try failure(finish(1, of: transport))
        #expect(failure.kind == .resolve || failure.kind == .connect)
        #expect(!failure.mayHaveArrived)
    }

    @Test func `a redirect is an answer, not an order`() throws {
        let elsewhere = try ScriptedReceiver()
        let receiver = try ScriptedReceiver(otherwise: .init(307, headers: ["Location": elsewhere.url], body: "go"))
        let transport = try Transport()
        _ = transport.start(Request(.post, try url(receiver), body: [1]))
        #expect(try response(finish(1, of: transport)).status == 307)
        #expect(elsewhere.connectionCount == 0)
    }

    /// Sends a large body to a peer that answers after the head, and then reads on or closes. A peer that closes at
    /// once may reset the connection before its answer is read: then there is no answer.
    @Test(arguments: [true, false])
    func `an answer that comes before the body was read is an answer`(_ readsOn: Bool) throws {
        let listener = try LoopbackSocket.listening()
        let hasAnswer = Monitor(false)
        let thread = NamedThread(name: "hasty") {
            guard let socket = listener.accepted() else { return }
            _ = socket.read(1_024)
            let head = "HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhalf"
            _ = socket.write(Array(head.utf8))
            if readsOn { return socket.waitForEnd() }
            _ = hasAnswer.wait(until: Waits.end) { $0 ? true : nil }
            socket.shutdown()
        }
        let transport = try Transport()
        let url = try #require(EndpointURL("http://127.0.0.1:\(listener.port)/"))
        _ = transport.start(Request(.post, url, body: [UInt8](repeating: 7, count: 8 << 20), timeout: Waits.limit))
        let completions = finish(1, of: transport)
        hasAnswer.change { $0 = true }
        let response = try response(completions)
        listener.shutdown()
        thread.join()
        #expect(response.status == 413)
    }

    @Test func `interim answers are not the answer`() throws {
        let listener = try LoopbackSocket.listening()
        let thread = NamedThread(name: "patient") {
            guard let socket = listener.accepted() else { return }
            var input: [UInt8] = []
            _ = HTTPMessage.read(from: socket, buffer: &input)
            let heads = "HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\nHTTP/1.1 103 Early\r\n\r\n"
            _ = socket.write(Array("\(heads)HTTP/1.1 503 No\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n".utf8))
        }
        let transport = try Transport()
        let url = try #require(EndpointURL("http://127.0.0.1:\(listener.port)/"))
        _ = transport.start(Request(.post, url, body: [1], timeout: Waits.limit))
        let response = try response(finish(1, of: transport))
        #expect(response == Response(status: 503, headers: ["retry-after": "3"], body: []))
        thread.join()
    }

    @Test(arguments: [
        (ScriptedReceiver.Answer(200, body: "12345678"), Response.Ending.whole, "12345678"),
        (.init(200, body: "123456789"), .cut, "12345678"),
        (.init(200, behaviour: .endlessBody), .cut, "xxxxxxxx"),
        (.init(200, behaviour: .cutBody), .broken(.reset), "begun"),
        (.init(200, behaviour: .stuckBody), .broken(.timeout), "begun"),
    ])
    func `an answer says whether its body is whole`(
        answer: ScriptedReceiver.Answer, ending: Response.Ending, body: String
    ) throws {
        let receiver = try ScriptedReceiver(otherwise: answer)
        var request = Request(
            .post, try url(receiver), timeout: answer.behaviour == .stuckBody ? .seconds(2) : Waits.limit)
        request.bodyKept_bytes = 8
        let transport = try Transport()
        _ = transport.start(request)
        let response = try response(finish(1, of: transport))
        #expect(response.ending == ending && response.body == Array(body.utf8))
    }

    @Test func `another thread ends the wait`() throws {
        let transport = try Transport()
        let waker = transport.waker
        let thread = NamedThread(name: "waker") { waker.wake() }
        var completions: [Completion] = []
        transport.poll(until: Waits.end, into: &completions)
        thread.join()
        #expect(completions.isEmpty)
        // The wake-up was used up, so the next wait lasts until its deadline.
        let deadline = time.monotonic() + .milliseconds(50)
        transport.poll(until: deadline, into: &completions)
        #expect(time.monotonic() >= deadline)
    }

    @Test func `a cancelled request has no completion`() throws {
        let receiver = try ScriptedReceiver(script: [.hang])
        let transport = try Transport()
        let lost = transport.start(Request(.post, try url(receiver), body: [1]))
        var completions: [Completion] = []
        let deadline = Waits.end
        while receiver.requests.isEmpty && time.monotonic() < deadline {
            transport.poll(until: time.monotonic() + .milliseconds(5), into: &completions)
        }
        transport.cancel(lost)
        let kept = transport.start(Request(.post, try url(receiver), body: [2]))
        #expect(try only(finish(1, of: transport)).id == kept)
    }

    @Test func `an untrusted certificate is refused before anything is sent`() throws {
        let server = try TLSServer()
        let url = try #require(EndpointURL("https://127.0.0.1:\(server.port)/"))
        let transport = try Transport()
        _ = transport.start(Request(.get, url, timeout: Waits.limit))
        let failure = try failure(finish(1, of: transport))
        #expect(failure.kind == .tls)
        #expect(!failure.mayHaveArrived)

        var options = TransportOptions()
        options.authorityFile = server.certificate
        transport.options = options
        _ = transport.start(Request(.get, url, timeout: Waits.limit))
        #expect(try response(finish(1, of: transport)).status == 200)
    }
}
