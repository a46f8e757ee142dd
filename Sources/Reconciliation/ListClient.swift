import HTTPClient
import LiveKit
import Platform
import Recording
import Wire

/// Calls LiveKit's server API, follows pages, and reads the lists.
///
/// The thread that makes it owns it. Each wait ends at once when a stop is asked for.
final class ListClient {
    private enum Limits {
        /// The calls that are under way at once. LiveKit answers each in milliseconds, and has other callers.
        static let inFlight = 8
        /// The failed calls about single rooms and jobs after which a poll asks for no more of them.
        static let failures = 5
        /// The most pages of a list. LiveKit itself has one; a hundred elements on each are 10,000.
        static let pages = 100
    }

    /// A body that has been read, or the reason why there is none.
    private typealias Reading = Result<Response, CallFailure>

    private let settings: PollerSettings
    private let time: any TimeSource
    private let transport: Transport
    private let isStopping: () -> Bool
    private let count: (ServerCall, String) -> Void
    var signer: TokenSigner
    private var completions: [Completion] = []

    /// - Parameter count: called for each call with the label value of `code`.
    init(
        _ settings: PollerSettings, signer: TokenSigner, time: any TimeSource, isStopping: @escaping () -> Bool,
        count: @escaping (ServerCall, String) -> Void
    ) throws(TransportError) {
        self.settings = settings
        self.signer = signer
        self.time = time
        self.isStopping = isStopping
        self.count = count
        var options = TransportOptions()
        options.connectTimeout = settings.connectTimeout
        options.network = settings.network
        options.connectionsPerHost = Limits.inFlight
        transport = try Transport(options, time: time)
    }

    var waker: Waker { transport.waker }

    // MARK: Waiting

    /// Waits. Returns false if a stop is asked for.
    func wait(until deadline: MonotonicTime) -> Bool {
        while !isStopping() {
            if time.monotonic() >= deadline { return true }
            rest(until: deadline)
        }
        return false
    }

    /// Waits until the deadline, or until the waker is called.
    func rest(until deadline: MonotonicTime?) {
        completions.removeAll(keepingCapacity: true)
        transport.poll(until: deadline, into: &completions)
    }

    // MARK: Lists

    /// Asks for all lists, one after the other, so that only one of them is in memory as text. The first failure ends it.
    func list(withEndedEgress: Bool) throws(PollInterruption) -> Listing {
        var (rooms, egress, ingress) = (Pages<ListedRoom>(), Pages<ListedEgress>(), Pages<ListedIngress>())
        let first: [ServerCall] = [.listRooms(), .listEgress(withEndedEgress ? .all : .active), .listIngress()]
        var failure: CallFailure?
        try exchange(first, timeout: settings.listTimeout, atOnce: 1) { call, reading in
            do throws(CallFailure) {
                let next =
                    switch call {
                    case .listEgress: try egress.take(call, reading, settings)
                    case .listIngress: try ingress.take(call, reading, settings)
                    case .listRooms, .listParticipants: try rooms.take(call, reading, settings)
                    }
                count(call, reading.isWithoutService ? "not_connected" : "200")
                return next.map { .then($0) } ?? .go
            } catch {
                count(call, error.code)
                failure = error
                return .end
            }
        }
        if let failure { throw .failed(failure) }
        return Listing(
            rooms: rooms.elements, egress: egress.elements, ingress: ingress.elements, hasEndedEgress: withEndedEgress)
    }

    /// The pages of one list so far.
    private struct Pages<Element: ListedElement> {
        private(set) var elements: [Element] = []
        private var tokens: Set<PageToken> = []
        private var pages = 0
        private var size_bytes = 0

        /// Reads a page. Returns the call for the next one.
        mutating func take(
            _ call: ServerCall, _ reading: Reading, _ settings: PollerSettings
        ) throws(CallFailure) -> ServerCall? {
            if reading.isWithoutService { return nil }
            let response = try reading.get()
            pages += 1
            size_bytes += response.body.count
            if pages > Limits.pages || size_bytes > settings.answer_bytes_max {
                throw CallFailure(call: call, kind: .tooLarge)
            }
            do throws(DecodingFault) {
                let page = try ListPage<Element>(response.body.span, metadataKey: settings.metadataKey)
                elements += page.elements
                guard let next = page.next else { return nil }
                if tokens.insert(next).inserted { return call.next(next) }
            } catch {
                throw CallFailure(call: call, kind: .garbage(error.description))
            }
            throw CallFailure(call: call, kind: .garbage("the list has no end: a page repeats its token"))
        }
    }

    // MARK: Single entities

    /// Asks about single rooms and jobs. What a call that failed was about has no answer, and is asked for again by the
    /// next poll. Some failures end it: then LiveKit has trouble with more than one of them.
    ///
    /// - Returns: the answers, and the last failure.
    func answers(
        to questions: [Poll.Question]
    ) throws(PollInterruption) -> (answers: Poll.Answers, failure: CallFailure?) {
        var answers = Poll.Answers()
        var pages: [ServerCall: Single] = [:]
        for question in questions {
            switch question {
            case .participants(let room, let name):
                // Two rooms of one name cannot be told from each other: the second one waits for the next poll.
                let call = ServerCall.listParticipants(room: name)
                if pages[call] == nil { pages[call] = .room(room, Pages()) }
            case .egress(let id): pages[.listEgress(.id(id))] = .job(id, Pages())
            case .ingress(let id): pages[.listIngress(id: id)] = .ingress(id, Pages())
            }
        }
        var (failures, failure) = (0, nil as CallFailure?)
        try exchange(Array(pages.keys), timeout: settings.timeout, atOnce: Limits.inFlight) { call, reading in
            guard var single = pages.removeValue(forKey: call) else { return .go }
            do throws(CallFailure) {
                let next = reading.isNotFound ? nil : try single.take(call, reading, settings)
                count(call, reading.isNotFound ? "404" : "200")
                if let next {
                    pages[next] = single
                    return .then(next)
                }
                single.answer(isThere: !reading.isNotFound, in: &answers)
                return .go
            } catch {
                count(call, error.code)
                failure = error
                failures += 1
                return failures < Limits.failures ? .go : .end
            }
        }
        return (answers, failure)
    }

    /// The answer about one room or job so far.
    private enum Single {
        /// - Parameter sid: the SID of the room.
        case room(_ sid: String, Pages<ListedParticipant>)
        case job(_ id: String, Pages<ListedEgress>)
        case ingress(_ id: String, Pages<ListedIngress>)

        /// Reads a page. Returns the call for the next one.
        mutating func take(
            _ call: ServerCall, _ reading: Reading, _ settings: PollerSettings
        ) throws(CallFailure) -> ServerCall? {
            switch self {
            case .room(let sid, var pages):
                let next = try pages.take(call, reading, settings)
                self = .room(sid, pages)
                return next
            case .job(let id, var pages):
                let next = try pages.take(call, reading, settings)
                self = .job(id, pages)
                return next
            case .ingress(let id, var pages):
                let next = try pages.take(call, reading, settings)
                self = .ingress(id, pages)
                return next
            }
        }

        func answer(isThere: Bool, in answers: inout Poll.Answers) {
            switch self {
            case .room(let sid, let pages):
                answers.members.updateValue(isThere ? pages.elements : nil, forKey: sid)
            case .job(let id, let pages):
                let job = pages.elements.first { $0.egress.id.utf8.elementsEqual(id.utf8) }
                answers.egress.updateValue(isThere ? job : nil, forKey: id)
            case .ingress(let id, let pages):
                let job = pages.elements.first { $0.ingress.id.utf8.elementsEqual(id.utf8) }
                answers.ingress.updateValue(isThere ? job : nil, forKey: id)
            }
        }
    }

    // MARK: Requests

    private enum Following {
        case go
        case then(ServerCall)
        case end
    }

    /// Makes calls, a few at once, and gives each answer to `settle`, which says what follows.
    private func exchange(
        _ calls: [ServerCall], timeout: Duration, atOnce: Int, _ settle: (ServerCall, Reading) -> Following
    ) throws(PollInterruption) {
        var left = calls[...]
        var underWay: [RequestID: ServerCall] = [:]
        defer { for id in underWay.keys { transport.cancel(id) } }
        while !left.isEmpty || !underWay.isEmpty {
            if isStopping() { throw .stop }
            while underWay.count < atOnce, let call = left.popFirst() {
                underWay[transport.start(request(call, timeout))] = call
            }
            completions.removeAll(keepingCapacity: true)
            transport.poll(until: nil, into: &completions)
            for completion in completions {
                guard let call = underWay.removeValue(forKey: completion.id) else { continue }
                switch settle(call, reading(call, completion.outcome)) {
                case .go: break
                case .then(let next): underWay[transport.start(request(next, timeout))] = next
                case .end: return
                }
            }
        }
    }

    private func request(_ call: ServerCall, _ timeout: Duration) -> Request {
        var request = Request(
            .post, settings.endpoint(of: call),
            headers: [
                HTTPHeader(known: "Authorization", "Bearer \(call.token(signer, at: time.now()))"),
                HTTPHeader(known: "Content-Type", "application/json"),
                HTTPHeader(known: "User-Agent", settings.userAgent),
            ],
            body: call.body, timeout: timeout)
        request.bodyKept_bytes = settings.answer_bytes_max
        return request
    }

    private func reading(_ call: ServerCall, _ outcome: Completion.Outcome) -> Reading {
        func failure(_ kind: CallFailure.Kind) -> Reading { .failure(CallFailure(call: call, kind: kind)) }
        switch outcome {
        case .failure(let error): return failure(.unanswered(error.kind, text: error.description))
        case .response(let response):
            guard response.status == 200 else {
                let body = response.body.span
                return failure(
                    .refused(
                        status: response.status,
                        code: RoomService.lacksService(body) ? CallFailure.noService : RoomService.errorCode(in: body),
                        retryAfter: response.retryAfter(at: time.now())))
            }
            switch response.ending {
            case .whole: return .success(response)
            case .cut: return failure(.tooLarge)
            case .broken(let kind): return failure(.unanswered(kind, text: "\(kind.rawValue): the answer broke off"))
            }
        }
    }
}

extension Result<Response, CallFailure> {
    /// LiveKit does not have what was asked for.
    fileprivate var isNotFound: Bool {
        if case .failure(let failure) = self, case .refused(404, "not_found", _) = failure.kind { return true }
        return false
    }

    /// LiveKit runs without egress or ingress: it has none of them.
    fileprivate var isWithoutService: Bool {
        guard case .failure(let failure) = self, case .refused(_, CallFailure.noService, _) = failure.kind else {
            return false
        }
        switch failure.call {
        case .listEgress, .listIngress: return true
        case .listRooms, .listParticipants: return false
        }
    }
}

extension CallFailure {
    /// Stands for Twirp's code where LiveKit runs without the service.
    fileprivate static let noService = "not_connected"
}
