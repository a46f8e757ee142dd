import CMicroHTTPD
import Glibc
import Platform
import Synchronization

/// Handles a request across the calls of the library. Its methods run on the poll thread unless they say otherwise.
final class Engine: Sendable {
    let settings: ServerSettings
    let table: ConnectionTable
    let counts = ServingCounters()
    let timeouts: ConnectionTimeouts
    let lingering = LingeringClose()
    /// Wakes `Server.stop` when a response has been sent.
    let departures = Monitor(())
    private let router: Router
    private let onStray: StrayHandler
    /// The number of requests that are owed a response.
    private let owed = Atomic(0)
    /// The number of connections that are suspended now.
    private let suspended = Atomic(0)
    private let stopping = Atomic(false)
    /// Every waiting request gets its fallback response at once.
    private let expiring = Atomic(false)
    /// The memory of the bodies of all current requests.
    private let held = Atomic(0)

    private let notFound: Response
    private let ambiguous = Response.text(400, "ambiguous length\n", headers: ["Connection": "close"])
    private let tooLarge = Response.text(413, "body too large\n", headers: ["Connection": "close"])

    init(routes: [Route], settings: ServerSettings, notFound: Response, onStray: @escaping StrayHandler) {
        self.notFound = notFound
        router = Router(routes)
        self.onStray = onStray
        self.settings = settings
        table = ConnectionTable(maximum: settings.maxConnections)
        timeouts = ConnectionTimeouts(table: table, lingering: lingering, settings: settings, counts: counts)
    }

    // MARK: For `Server`, any thread

    var statistics: ServingStatistics { counts.statistics(connections: table.count) }
    var isIdle: Bool { owed.load(ordering: .sequentiallyConsistent) == 0 }
    var isAnythingSuspended: Bool { suspended.load(ordering: .sequentiallyConsistent) != 0 }

    /// Stops taking requests. Returns false if it had stopped already.
    func stopTaking() -> Bool {
        // Sequentially consistent with `owed`: a request either sees this, or `isIdle` sees the request.
        guard !stopping.exchange(true, ordering: .sequentiallyConsistent) else { return false }
        // An incomplete request was not accepted: its sender sees the end of the connection and tries again elsewhere.
        endIncomplete()
        return true
    }

    /// Shuts down the reading side of every connection that is not owed a response. The others must stay readable: the
    /// library gives up a connection whose reading side is shut down, even while it has something to send.
    func endIncomplete() {
        table.forEach { connection in
            switch connection.phase.0 {
            case .idle, .header, .body: connection.endReading()
            case .waiting, .answering: break
            }
        }
    }

    /// Gives every suspended connection its fallback response, and every request whose handler still runs, if that
    /// decides to wait.
    func expireAll() {
        // Stored before the look at each connection: a request either is seen there, or sees this. See `wait`.
        expiring.store(true, ordering: .sequentiallyConsistent)
        var pending: [PendingResponse] = []
        table.forEach { connection in connection.pending.withLock { if let one = $0 { pending.append(one) } } }
        for one in pending { one.expire() }
    }

    // MARK: Connections

    /// Makes the connection of an accepted socket. Returns nil if it is refused because all others are owed a response.
    /// Runs on the acceptor's thread.
    func admit(socket: Int32) -> Connection? {
        let now = SystemTime().monotonic()
        let connection = Connection(socket: socket, now: now)
        counts.accepted.add(1, ordering: .relaxed)
        switch table.admit(connection, now: now) {
        case .admitted: break
        case .displacing: counts.evicted.add(1, ordering: .relaxed)
        case .refused:
            counts.refused.add(1, ordering: .relaxed)
            return nil
        }
        timeouts.schedule(at: now + min(settings.headerTimeout, Limits.look))
        return connection
    }

    /// Evicts a connection, because the process has no descriptor for the next one. Runs on the acceptor's thread.
    func lackDescriptors() {
        counts.descriptorShortages.add(1, ordering: .relaxed)
        if table.cutWorst(now: SystemTime().monotonic()) { counts.evicted.add(1, ordering: .relaxed) }
    }

    /// Returns the connection that the library begins to serve.
    func open(socket: Int32) -> Connection? { table[socket] }

    func close(_ connection: Connection) {
        let wasCut = table.remove(connection)
        let isIncomplete = connection.isIncomplete || connection.phase.0 == .header
        if isIncomplete && !wasCut && !stopping.load(ordering: .relaxed) {
            counts.incomplete.add(1, ordering: .relaxed)
        }
    }

    // MARK: Requests

    /// Handles a complete request line. The time limit for the header of a connection's first request began with the
    /// connection.
    func begin(_ connection: Connection) {
        if connection.phase.0 == .idle { connection.enter(.header, SystemTime().monotonic()) }
    }

    /// Handles one call of the library. It calls first with the header, then with each piece of the body, at last with
    /// an empty piece, and once more after a suspension.
    func proceed(
        _ connection: Connection, _ handle: OpaquePointer, path: UnsafePointer<CChar>, method: UnsafePointer<CChar>,
        chunk: UnsafeRawBufferPointer
    ) -> MHD_Result {
        switch connection.stage {
        case .fresh:
            if stopping.load(ordering: .relaxed) { return .NO }
            let match = router.match(path: path, method: method)
            switch match {
            case .route: break
            case .unknownPath:
                onStray(StrayRequest(route: nil, path: path, method: method, connection: handle))
            case .wrongMethod(let index, _):
                onStray(
                    StrayRequest(
                        route: router.routes[index].path, path: path, method: method, connection: handle))
            }
            return accept(connection, handle, match)
        case .reading(let match):
            if chunk.isEmpty { return answer(connection, handle, match, path) }
            return append(chunk, to: connection, match)
        case .waiting(let pending):
            guard let response = pending.answer else { return .NO }
            endWait(connection)
            return send(response, connection, handle)
        case .answered:
            return .YES
        case .dropped:
            return .NO
        }
    }

    /// Handles the end of a request, whether it succeeded or not.
    func finish(_ connection: Connection) {
        let now = SystemTime().monotonic()
        // The client left meanwhile: the connection was resumed, but there is nobody to answer.
        if case .waiting = connection.stage { endWait(connection) }
        if connection.isRefused {
            lingering.add(connection.socket, now: now)
            timeouts.schedule(at: now)
            connection.isRefused = false
        } else {
            // The library ends the connection in both cases.
            let phase = connection.phase.0
            connection.isIncomplete = phase == .header || phase == .body
        }
        release(connection)
        if connection.body.capacity > Limits.keptBuffer_bytes {
            connection.body = []
        } else {
            connection.body.removeAll(keepingCapacity: true)
        }
        connection.stage = .fresh
        connection.enter(.idle, now)
        if connection.isOwed {
            connection.isOwed = false
            owed.subtract(1, ordering: .sequentiallyConsistent)
        }
        if stopping.load(ordering: .sequentiallyConsistent) {
            table.cut(connection)
            departures.change { _ in }
        }
    }

    // MARK: Steps

    /// Handles a complete header.
    private func accept(_ connection: Connection, _ handle: OpaquePointer, _ match: Router.Match) -> MHD_Result {
        connection.advance(to: .body)
        let announced = AnnouncedBody(handle)
        if announced == .ambiguous { return refuse(connection, handle, with: ambiguous) }
        switch match {
        case .route(let index, _):
            if case .bytes(let count) = announced, count > settings.maxBody.bytes {
                router.routes[index].onRefusal(.bodyTooLarge)
                return refuse(connection, handle, with: tooLarge)
            }
        case .unknownPath:
            if announced != .none { return refuse(connection, handle, with: notFound) }
        case .wrongMethod(_, let response):
            if announced != .none { return refuse(connection, handle, with: response) }
        }
        connection.stage = .reading(match)
        return .YES
    }

    private func append(
        _ chunk: UnsafeRawBufferPointer, to connection: Connection, _ match: Router.Match
    ) -> MHD_Result {
        guard case .route(let index, _) = match else { return .YES }
        guard connection.body.count + chunk.count <= settings.maxBody.bytes else {
            router.routes[index].onRefusal(.bodyTooLarge)
            return interrupt(connection, "413 Content Too Large")
        }
        let before = connection.body.capacity
        connection.body.append(contentsOf: chunk)
        let growth = connection.body.capacity - before
        connection.bodyGrowth_bytes += growth
        let all = held.add(growth, ordering: .relaxed).newValue
        guard all <= Limits.bodies_bytes || dropBodies(largerThan: connection) else {
            router.routes[index].onRefusal(.noMemory)
            return interrupt(connection, "503 Service Unavailable")
        }
        return .YES
    }

    /// Gives up the largest unfinished bodies, so that strangers who send large ones slowly do not keep small ones out.
    /// Returns false if none is larger than this one.
    private func dropBodies(largerThan connection: Connection) -> Bool {
        var larger: [Connection] = []
        table.forEach { other in
            guard case .reading = other.stage, other.bodyGrowth_bytes > connection.bodyGrowth_bytes else { return }
            larger.append(other)
        }
        larger.sort { $0.bodyGrowth_bytes < $1.bodyGrowth_bytes }
        while held.load(ordering: .relaxed) > Limits.bodiesAfterDrop_bytes, let largest = larger.popLast() {
            if case .reading(.route(let index, _)) = largest.stage { router.routes[index].onRefusal(.noMemory) }
            _ = interrupt(largest, "503 Service Unavailable")
            largest.stage = .dropped
            release(largest)
            largest.body = []
            largest.endReading()
        }
        return held.load(ordering: .relaxed) <= Limits.bodies_bytes
    }

    private func release(_ connection: Connection) {
        held.subtract(connection.bodyGrowth_bytes, ordering: .relaxed)
        connection.bodyGrowth_bytes = 0
    }

    /// Handles a complete request: runs its handler.
    private func answer(
        _ connection: Connection, _ handle: OpaquePointer, _ match: Router.Match, _ path: UnsafePointer<CChar>
    ) -> MHD_Result {
        owe(connection)
        // Read after `owe`; see `stopTaking`.
        if stopping.load(ordering: .sequentiallyConsistent) { return .NO }
        switch match {
        case .unknownPath: return send(notFound, connection, handle)
        case .wrongMethod(_, let response): return send(response, connection, handle)
        case .route(let index, let method):
            let request = Request(method: method, path: path, connection: handle)
            switch router.routes[index].handler(request, connection.body.span) {
            case .respond(let response): return send(response, connection, handle)
            case .wait(let pending): return wait(for: pending, connection, handle)
            }
        }
    }

    private func wait(
        for pending: PendingResponse, _ connection: Connection, _ handle: OpaquePointer
    ) -> MHD_Result {
        connection.stage = .waiting(pending)
        connection.pending.withLock { $0 = pending }
        // Read after other threads can see the request; see `expireAll`.
        if expiring.load(ordering: .sequentiallyConsistent) { pending.expire() }
        suspended.add(1, ordering: .sequentiallyConsistent)
        connection.enter(.waiting, pending.deadline)
        guard let response = pending.suspend(SuspendedConnection(handle)) else {
            timeouts.schedule(at: pending.deadline)
            return .YES
        }
        endWait(connection)
        return send(response, connection, handle)
    }

    private func endWait(_ connection: Connection) {
        connection.pending.withLock { $0 = nil }
        suspended.subtract(1, ordering: .sequentiallyConsistent)
        connection.enter(.answering, SystemTime().monotonic())
    }

    /// Queues the response.
    private func send(_ response: Response, _ connection: Connection, _ handle: OpaquePointer) -> MHD_Result {
        connection.stage = .answered
        return MHD_queue_response(handle, response.status, response.handle)
    }

    /// Answers before the body came. The library then closes the connection.
    private func refuse(_ connection: Connection, _ handle: OpaquePointer, with response: Response) -> MHD_Result {
        owe(connection)
        connection.isRefused = true
        return send(response, connection, handle)
    }

    /// Answers in the middle of a body, for which the library has no function. The bytes go straight into the socket,
    /// which is empty because responses leave in order; then the connection ends.
    private func interrupt(_ connection: Connection, _ status: StaticString) -> MHD_Result {
        connection.isRefused = true
        let text = Array("HTTP/1.1 \(status)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
        _ = Glibc.send(connection.socket, text, text.count, Int32(MSG_NOSIGNAL))
        return .NO
    }

    private func owe(_ connection: Connection) {
        connection.isOwed = true
        connection.advance(to: .answering)
        owed.add(1, ordering: .sequentiallyConsistent)
    }
}
