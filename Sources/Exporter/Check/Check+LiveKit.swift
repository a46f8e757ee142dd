import HTTPClient
import LiveKit
import Platform
import Recording
import Wire

/// The part of `lkpush check` about LiveKit's server API.
extension Check {
    /// Asks LiveKit for a room that does not exist, and for the lists that are polled, signed as lkpush's calls are.
    /// Nothing is changed there.
    static func liveKit(_ settings: Settings, _ report: inout CheckReport) {
        do {
            guard let call = try LiveKitCall(listing: .rooms(named: "lkpush check"), settings) else {
                return report.tell(
                    .ok, "livekit",
                    "polls are off, because LIVEKIT_URL is not set: what lost webhooks leave wrong is not corrected")
            }
            switch call.outcome {
            case .failure(let failure):
                report.tell(
                    .fault, "livekit",
                    "LIVEKIT_URL: \(call.url): no answer (\(failure)). Check the URL, that LiveKit runs, and firewalls and "
                        + "proxies on the way")
            case .response(let response):
                let isAccepted = answer(response, at: call.url, key: call.key, &report)
                if let told = response.headers["date"].flatMap({ RetryAfter.date($0) }) {
                    clock(
                        ClockInterval(
                            told: told, roundedTo: .seconds(1), receivedAt: call.receivedAt,
                            took: call.receivedAt.since(call.sentAt)),
                        of: "LiveKit",
                        cost: "webhooks are refused as expired or not yet valid, and so are lkpush's calls",
                        "livekit", &report)
                }
                if isAccepted { try polls(settings, &report) }
            }
        } catch {
            report.tell(.fault, "livekit", "LiveKit cannot be asked: \(error)")
        }
    }

    /// Tells whether polls are on, and whether each list that they need can be had.
    private static func polls(_ settings: Settings, _ report: inout CheckReport) throws {
        guard settings.polls else {
            return report.tell(
                .ok, "livekit", "polls are off (RECONCILE_INTERVAL=0): what lost webhooks leave wrong is not corrected")
        }
        report.tell(
            .ok, "livekit",
            "polls are on, every \(UnitText.text(settings.reconcileInterval)) (RECONCILE_INTERVAL): rooms, egress and "
                + "ingress are listed, and what lost webhooks leave wrong is corrected while all three can be")
        for list in [LiveKitCall.List.egress, .ingress] {
            guard let call = try LiveKitCall(listing: list, settings) else { continue }
            tell(list, call, &report)
        }
    }

    private static func tell(_ list: LiveKitCall.List, _ call: LiveKitCall, _ report: inout CheckReport) {
        let why: String
        switch call.outcome {
        case .failure(let failure): why = "no answer: \(failure)"
        case .response(let response) where response.status == 200 && isJSON(response):
            return report.tell(.ok, "livekit", "\(list.name) can be listed (\(list.method))")
        case .response(let response) where [401, 403].contains(response.status):
            return report.tell(
                .fault, "livekit",
                "\(list.name) cannot be listed: LiveKit takes the key \(call.key), and refuses it the right \(list.grant) "
                    + "(status \(response.status)), so no poll succeeds. Give lkpush a key that may grant it, or set "
                    + "RECONCILE_INTERVAL=0")
        case .response(let response) where RoomService.lacksService(response.body.span):
            return report.tell(
                .ok, "livekit", "there is no \(list.name): LiveKit runs without this service (\(list.method))")
        case .response(let response):
            let code = RoomService.errorCode(in: response.body.span).map { ", \($0)" } ?? ""
            why = "status \(response.status)\(code)"
        }
        report.tell(
            .fault, "livekit",
            "\(list.name) cannot be listed (\(list.method): \(why)), so polls correct nothing. Ask again; where it stays so, "
                + "look at the log of LiveKit, and whether it runs with this service")
    }

    /// Looks for a room's organization in the metadata that LiveKit has of it.
    static func room(_ name: String, inMetadataOf settings: Settings, _ subject: String, _ report: inout CheckReport) {
        let key = settings.organizationMetadataKey
        let place =
            "ORG_SOURCE=metadata, so each webhook has it in the room's metadata, a JSON object with the key \(key)"
        do {
            guard let call = try LiveKitCall(listing: .rooms(named: name), settings) else {
                return report.tell(
                    .flaw, subject,
                    "the name does not tell: \(place). See the metadata with lk room list \(name), or set LIVEKIT_URL so "
                        + "that lkpush check asks LiveKit")
            }
            guard case .response(let response) = call.outcome, response.status == 200 else {
                return report.tell(
                    .fault, subject, "unknown: \(place), and LiveKit cannot be asked for it; see livekit below")
            }
            let rooms = try RoomService.rooms(in: response.body.span, metadataKey: key)
            guard let room = rooms.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
                return report.tell(
                    .flaw, subject,
                    "LiveKit has no such room now, so it has no metadata either. Ask again while somebody is in the room"
                )
            }
            if let id = room.metadataOrganization {
                guard Recorder.isOrganizationID(id) else {
                    return report.tell(
                        .fault, subject,
                        "unknown (no_org_id): \(key) in the metadata of the room is too long. Make it shorter")
                }
                return report.tell(.ok, subject, "\(id): \(key) in the metadata that LiveKit has of the room")
            }
            report.tell(
                .fault, subject,
                "unknown (no_organization): the metadata that LiveKit has of the room is no JSON object with the key \(key). Let "
                    + "the application set it when it makes the room, or set ORG_METADATA_KEY to the key that it uses")
        } catch {
            report.tell(.fault, subject, "unknown: LiveKit cannot be asked: \(error)")
        }
    }

    private static func isJSON(_ response: Response) -> Bool {
        response.headers["content-type"]?.hasPrefix("application/json") == true
            && response.body.first { $0 > UInt8(ascii: " ") } == UInt8(ascii: "{")
    }

    /// Tells of the answer to the list of rooms. Returns true if it was accepted.
    private static func answer(
        _ response: Response, at url: EndpointURL, key: String, _ report: inout CheckReport
    ) -> Bool {
        let status = response.status
        switch status {
        case 200 where isJSON(response):
            report.tell(
                .ok, "livekit",
                "LIVEKIT_URL: \(url): accepted, signed by the key \(key); rooms can be listed (ListRooms)")
            return true
        case 401, 403:
            report.tell(
                .fault, "livekit",
                "LIVEKIT_URL: \(url): LiveKit refuses the key \(key) (status \(status)), so it refuses what lkpush signs, "
                    + "and lkpush what it signs. Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a pair of this server. A key "
                    + "that may not grant roomList is refused in the same way")
        case 429, 500...:
            let code = RoomService.errorCode(in: response.body.span).map { ", \($0)" } ?? ""
            report.tell(
                .fault, "livekit",
                "LIVEKIT_URL: \(url): LiveKit, or a proxy before it, answers with status \(status)\(code). Ask again; where it "
                    + "stays so, look at its log")
        default:
            let code = RoomService.errorCode(in: response.body.span).map { ", \($0)" } ?? ""
            report.tell(
                .fault, "livekit",
                "LIVEKIT_URL: \(url): what answers is no LiveKit server (status \(status)\(code)). Give the address that "
                    + "clients connect to, such as wss://livekit.example.com, without a path")
        }
        return false
    }
}

/// A call of LiveKit's server API that lists something, and its outcome.
private struct LiveKitCall {
    enum List {
        case rooms(named: String)
        case egress, ingress

        var name: String {
            switch self {
            case .rooms: "rooms"
            case .egress: "egress"
            case .ingress: "ingress"
            }
        }

        /// The call that polls make for the same list.
        private var call: ServerCall {
            switch self {
            case .rooms: .listRooms()
            case .egress: .listEgress(.active)
            case .ingress: .listIngress()
            }
        }

        var method: String { call.name }
        var grant: String { call.grant }
        fileprivate var path: String { call.path }

        fileprivate var body: [UInt8] {
            if case .rooms(let name) = self { return RoomService.listRoomsBody(names: [name]) }
            return call.body
        }

        fileprivate func token(_ signer: TokenSigner, at time: Timestamp) -> String { call.token(signer, at: time) }
    }

    let url: EndpointURL
    /// The API key that signed it.
    let key: String
    let outcome: Completion.Outcome
    let sentAt: Timestamp
    let receivedAt: Timestamp

    /// Makes the call. Nil if no server is configured.
    init?(listing list: List, _ settings: Settings) throws {
        guard let server = settings.liveKitURL, let url = EndpointURL(server + list.path),
            let pair = try settings.liveKitKeys.read().first
        else { return nil }
        let time = SystemTime()
        sentAt = time.now()
        let token = list.token(pair.signer, at: sentAt)
        var options = TransportOptions()
        options.connectTimeout = .seconds(5)
        options.recordedHeaders = ["date", "content-type"]
        options.network = settings.network
        outcome = try Transport(options, time: time).complete(
            Request(
                .post, url,
                headers: [
                    HTTPHeader(known: "Authorization", "Bearer \(token)"),
                    HTTPHeader(known: "Content-Type", "application/json"),
                    HTTPHeader(known: "User-Agent", Version.userAgent),
                ],
                body: list.body, timeout: .seconds(10))
        ).outcome
        receivedAt = time.now()
        self.url = url
        key = pair.key
    }
}
