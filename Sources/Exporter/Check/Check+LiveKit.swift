import HTTPClient
import LiveKit
import Platform
import Recording
import Wire

/// The part of `lkpush check` about LiveKit's server API.
extension Check {
    /// Asks LiveKit for a room that does not exist, signed as lkpush's calls are. Nothing is changed there.
    static func liveKit(_ settings: Settings, _ report: inout CheckReport) {
        do {
            guard let call = try LiveKitCall(listing: "lkpush check", settings) else { return }
            switch call.outcome {
            case .failure(let failure):
                report.tell(
                    .fault, "livekit",
                    "LIVEKIT_URL: \(call.url): no answer (\(failure)). Check the URL, that LiveKit runs, and firewalls and "
                        + "proxies on the way")
            case .response(let response):
                answer(response, at: call.url, key: call.key, &report)
                if let told = response.headers["date"].flatMap({ RetryAfter.date($0) }) {
                    clock(
                        ClockInterval(
                            told: told, roundedTo: .seconds(1), receivedAt: call.receivedAt,
                            took: call.receivedAt.since(call.sentAt)),
                        of: "LiveKit",
                        cost: "webhooks are refused as expired or not yet valid, and so are lkpush's calls",
                        "livekit", &report)
                }
            }
        } catch {
            report.tell(.fault, "livekit", "LiveKit cannot be asked: \(error)")
        }
    }

    /// Looks for a room's organization in the metadata that LiveKit has of it.
    static func room(_ name: String, inMetadataOf settings: Settings, _ subject: String, _ report: inout CheckReport) {
        let key = settings.organizationMetadataKey
        let place =
            "ORG_SOURCE=metadata, so each webhook has it in the room's metadata, a JSON object with the key \(key)"
        do {
            guard let call = try LiveKitCall(listing: name, settings) else {
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

    private static func answer(
        _ response: Response, at url: EndpointURL, key: String, _ report: inout CheckReport
    ) {
        let status = response.status
        let isJSON = response.headers["content-type"]?.hasPrefix("application/json") == true
        switch status {
        case 200 where isJSON: report.tell(.ok, "livekit", "LIVEKIT_URL: \(url): accepted, signed by the key \(key)")
        case 401, 403:
            report.tell(
                .fault, "livekit",
                "LIVEKIT_URL: \(url): LiveKit refuses the key \(key) (status \(status)), so it refuses what lkpush signs, "
                    + "and lkpush what it signs. Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a pair of this server")
        default:
            let code = RoomService.errorCode(in: response.body.span).map { ", \($0)" } ?? ""
            report.tell(
                .fault, "livekit",
                "LIVEKIT_URL: \(url): what answers is no LiveKit server (status \(status)\(code)). Give the address that "
                    + "clients connect to, such as wss://livekit.example.com, without a path")
        }
    }
}

/// A call of LiveKit's server API that lists one room, and its outcome.
private struct LiveKitCall {
    let url: EndpointURL
    /// The API key that signed it.
    let key: String
    let outcome: Completion.Outcome
    let sentAt: Timestamp
    let receivedAt: Timestamp

    /// Makes the call. Nil if no server is configured.
    init?(listing room: String, _ settings: Settings) throws {
        guard let server = settings.liveKitURL, let url = EndpointURL(server + RoomService.listRoomsPath),
            let pair = try settings.liveKitKeys.read().first
        else { return nil }
        let time = SystemTime()
        sentAt = time.now()
        let token = pair.signer.roomListToken(at: sentAt, lifetime: .seconds(60))
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
                body: RoomService.listRoomsBody(names: [room]), timeout: .seconds(10))
        ).outcome
        receivedAt = time.now()
        self.url = url
        key = pair.key
    }
}
