import CCurl
package import Platform
import Wire

/// Sends HTTP/1.1 requests over kept-alive connections, many at a time, from one thread.
///
/// It is not Sendable: the thread that makes it owns it, and use by another thread traps. Only `waker` crosses threads.
/// It follows no redirect, verifies every peer, and uses no signals.
package final class Transport {
    package enum Limits {
        /// The part of a body that is kept unless the request says otherwise: a receiver's message for a log line.
        package static let bodyKept_bytes = 1_024
        /// The part of a body that is read. Beyond it, a new connection costs less than the rest.
        package static let bodyRead_bytes = 65_536
        /// The longest single wait, since curl takes milliseconds in an `Int32`. A longer wait is made of several.
        static let wait_ms: Int64 = 60_000
        /// The number of handles that are kept for later requests.
        static let idleTransfers = 512
    }

    /// Ends a wait from another thread.
    package let waker: Waker
    /// The options of requests that are started from now on.
    package var options: TransportOptions

    private let multi: UnsafeMutableRawPointer
    private let owner = ThreadOwner()
    private let time: any TimeSource
    private let resolver: NameResolver
    private var active: [RequestID: Transfer] = [:]
    private var idle: [Transfer] = []
    private var waiting = WaitingRequests()
    private var settled: [WaitingRequests.Settled] = []
    private var lastNumber: UInt64 = 0
    private var refused: [Completion] = []

    /// `curl_global_init` must run once before any other function of curl.
    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// Wraps `curl_multi_init`.
    ///
    /// - Parameter waker: the waker of the transport that this one replaces, so that its users can keep it.
    package init(
        _ options: TransportOptions = .init(), time: any TimeSource = SystemTime(), waker: Waker? = nil
    ) throws(TransportError) {
        guard Self.isReady, let handle = curl_multi_init() else {
            throw TransportError(operation: "curl_multi_init", code: CURLE_FAILED_INIT.rawValue, text: "no memory")
        }
        multi = handle
        resolver = .shared
        self.waker = waker ?? Waker()
        self.waker.attach(handle)
        self.options = options
        self.time = time
        if options.connectionsPerHost > 0 {
            _ = ccurl_multi_set_long(handle, CURLMOPT_MAX_HOST_CONNECTIONS, options.connectionsPerHost)
            _ = ccurl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, options.connectionsPerHost)
        }
    }

    deinit {
        waker.detach(multi)
        for transfer in active.values { curl_multi_remove_handle(multi, transfer.easy) }
        // The easy handles must be freed before the multi handle, whose connections they used.
        active.removeAll()
        idle.removeAll()
        curl_multi_cleanup(multi)
    }

    /// The number of requests without a completion yet.
    package var activeCount: Int { active.count + waiting.count + refused.count }

    /// Starts a request. Its completion comes from `poll`. If curl refuses it at once, it completes as a failure.
    ///
    /// It never waits for a name server: a request whose host has no known address waits for one in `poll`.
    package func start(_ request: Request) -> RequestID {
        owner.assertOwned("a transport")
        lastNumber += 1
        let id = RequestID(number: lastNumber)
        let now = time.monotonic()
        let (peer, proxy): (Peer, Proxies.Proxy?)
        switch options.network.proxies.route(to: request.url) {
        case .direct: (peer, proxy) = (Peer(host: request.url.host, port: request.url.port, isProxy: false), nil)
        case .via(let found): (peer, proxy) = (Peer(host: found.host, port: found.port, isProxy: true), found)
        case .unusable(let problem):
            let failure = NetworkError(
                kind: .other, mayHaveArrived: false, code: CURLE_COULDNT_RESOLVE_PROXY.rawValue, text: problem)
            refused.append(Completion(id: id, outcome: .failure(failure), duration: .zero, deliveries: 0))
            return id
        }
        guard peer.needsResolving else {
            launch(id, request, proxy, resolved: nil, startedAt: now, at: now)
            return id
        }
        waiting.append(
            WaitingRequests.Waiting(
                id: id, request: request, peer: peer, proxy: proxy, startedAt: now,
                lookup: resolver.lookup(peer.host, lifetime: options.addressLifetime, at: now, waker: waker),
                giveUpAt: now + min(request.timeout, options.connectTimeout)))
        settleWaiting()
        return id
    }

    /// Starts the requests whose hosts have an address now, and fails those that have waited too long.
    private func settleWaiting() {
        let now = time.monotonic()
        waiting.settle(at: now, into: &settled)
        for one in settled {
            switch one {
            case .connect(let waiting, let addresses):
                launch(
                    waiting.id, waiting.request, waiting.proxy, resolved: waiting.peer.resolved(to: addresses),
                    startedAt: waiting.startedAt, at: now)
            case .failed(let waiting, let text):
                let code = waiting.peer.isProxy ? CURLE_COULDNT_RESOLVE_PROXY : CURLE_COULDNT_RESOLVE_HOST
                let failure = NetworkError(
                    kind: .resolve, mayHaveArrived: false, code: code.rawValue,
                    text: "\(String(cString: curl_easy_strerror(code))): \(waiting.peer.host): \(text)")
                refused.append(
                    Completion(
                        id: waiting.id, outcome: .failure(failure), duration: now.since(waiting.startedAt),
                        deliveries: 0))
            }
        }
        settled.removeAll(keepingCapacity: true)
    }

    /// Gives a request to curl.
    ///
    /// - Parameter resolved: the addresses of its host, in the form that curl takes. Nil if curl knows them.
    private func launch(
        _ id: RequestID, _ request: Request, _ proxy: Proxies.Proxy?, resolved: String?, startedAt: MonotonicTime,
        at now: MonotonicTime
    ) {
        do throws(TransportError) {
            guard let transfer = idle.popLast() ?? Transfer() else {
                throw TransportError(
                    operation: "curl_easy_init", code: CURLE_OUT_OF_MEMORY.rawValue, text: "no memory")
            }
            try transfer.prepare(request, options, proxy, resolved: resolved, waited: now.since(startedAt))
            transfer.id = id
            transfer.startedAt = startedAt
            let code = curl_multi_add_handle(multi, transfer.easy)
            guard code == CURLM_OK else {
                throw TransportError(
                    operation: "curl_multi_add_handle", code: UInt32(bitPattern: code.rawValue),
                    text: String(cString: curl_multi_strerror(code)))
            }
            active[id] = transfer
        } catch {
            let failure = NetworkError(
                kind: .other, mayHaveArrived: false, code: error.code, text: "\(error.operation): \(error.text)")
            refused.append(Completion(id: id, outcome: .failure(failure), duration: .zero, deliveries: 0))
        }
    }

    /// Cancels a request, which then has no completion. Does nothing if the request has ended.
    package func cancel(_ id: RequestID) {
        owner.assertOwned("a transport")
        refused.removeAll { $0.id == id }
        if waiting.remove(id) { return }
        guard let transfer = active.removeValue(forKey: id) else { return }
        curl_multi_remove_handle(multi, transfer.easy)
    }

    /// Sends the only request of this transport, and returns its completion. Blocks for as long as its time-outs allow.
    package func complete(_ request: Request) -> Completion {
        _ = start(request)
        var completions: [Completion] = []
        while completions.isEmpty { poll(until: nil, into: &completions) }
        return completions[0]
    }

    /// Works until at least one request ends, the deadline passes, or the waker is called. Appends the completions.
    ///
    /// Without a deadline the wait has no limit. Wraps `curl_multi_perform` and `curl_multi_poll`.
    package func poll(until deadline: MonotonicTime?, into completions: inout [Completion]) {
        owner.assertOwned("a transport")
        let before = completions.count
        while true {
            settleWaiting()
            completions.append(contentsOf: refused)
            refused.removeAll(keepingCapacity: true)
            var running: Int32 = 0
            let code = curl_multi_perform(multi, &running)
            precondition(code == CURLM_OK, "curl_multi_perform was used wrongly")
            collect(into: &completions)
            if completions.count > before || waker.take() { return }
            let now = time.monotonic()
            if let deadline, deadline <= now { return }
            var wait = Limits.wait_ms
            for end in [deadline, waiting.nextDeadline] {
                // The wait is rounded up: one that ends early would have to be repeated.
                if let end { wait = min(wait, max(0, end.since(now).milliseconds) + 1) }
            }
            curl_multi_poll(multi, nil, 0, Int32(wait), nil)
        }
    }

    private func collect(into completions: inout [Completion]) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let result = message.pointee.data.result
            var context: UnsafeMutableRawPointer?
            _ = ccurl_get_pointer(easy, CURLINFO_PRIVATE, &context)
            guard let context else { continue }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            completions.append(transfer.completion(result, at: time.monotonic()))
            curl_multi_remove_handle(multi, easy)
            active[transfer.id] = nil
            if idle.count < Limits.idleTransfers { idle.append(transfer) }
        }
    }
}
