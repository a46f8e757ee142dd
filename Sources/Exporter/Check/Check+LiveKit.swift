import HTTPClient
import LiveKit
import Platform
import Wire

/// The part of `lkpush check` about LiveKit's server API.
extension Check {
    /// Asks LiveKit for a room that does not exist, signed as lkpush's calls are. Nothing is changed there.
    static func liveKit(_ settings: Settings, _ report: inout CheckReport) {
        guard let server = settings.liveKitURL else { return }
        do {
            guard let url = EndpointURL(server + RoomService.listRoomsPath),
                let pair = try settings.liveKitKeys.read().first
            else { return }
            let time = SystemTime()
            let sentAt = time.now()
            let token = pair.signer.roomListToken(at: sentAt, lifetime: .seconds(60))
            var options = TransportOptions()
            options.connectTimeout = .seconds(5)
            options.recordedHeaders = ["date", "content-type"]
            options.network = settings.network
            let transport = try Transport(options, time: time)
            let completion = transport.complete(
                Request(
                    .post, url,
                    headers: [
                        HTTPHeader(known: "Authorization", "Bearer \(token)"),
                        HTTPHeader(known: "Content-Type", "application/json"),
                        HTTPHeader(known: "User-Agent", Version.userAgent),
                    ],
                    body: RoomService.listRoomsBody(names: ["lkpush check"]), timeout: .seconds(10)))
            switch completion.outcome {
            case .failure(let failure):
                report.tell(
                    .fault, "livekit",
                    "LIVEKIT_URL: \(url): no answer (\(failure)). Check the URL, that LiveKit runs, and firewalls and "
                        + "proxies on the way")
            case .response(let response):
                answer(response, at: url, key: pair.key, &report)
                if let told = response.headers["date"].flatMap({ RetryAfter.date($0) }) {
                    let now = time.now()
                    clock(
                        ClockInterval(told: told, roundedTo: .seconds(1), receivedAt: now, took: now.since(sentAt)),
                        of: "LiveKit",
                        cost: "webhooks are refused as expired or not yet valid, and so are lkpush's calls",
                        "livekit", &report)
                }
            }
        } catch {
            report.tell(.fault, "livekit", "LiveKit cannot be asked: \(error)")
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
