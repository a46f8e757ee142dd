package import HTTPClient
package import HTTPServing
package import Platform

/// The options of `lkpush simulate`.
package struct SimulateOptions: Sendable {
    package enum Limits {
        /// More than any real office. The entities that are alive are held in memory.
        static let count = 100_000
        /// At a higher speed the milliseconds of the wall clock would decide what happens.
        static let speed = 100_000.0
        /// More sockets than any receiver takes.
        static let connections = 4_096
        static let length = Duration.seconds(31 * 86_400)
    }

    package var url: EndpointURL
    package var size: OfficeSize
    package var speed: Double
    package var seed: UInt64
    /// The number of the day. Every day of the same office has other events.
    package var day: Int
    package var connections: Int
    /// The share of webhooks that are never delivered, from 0 to 1.
    package var lost: Double
    /// The address of LiveKit's server API; nil if there is none.
    package var api: ListenAddress?
    package var lies: Set<APILie>
    package var key: String
    package var secret: Secret
    /// The arguments contain a key or a secret.
    package var givesKey: Bool

    /// Invalid arguments, with one sentence for each mistake.
    package struct ArgumentFault: Error, Sendable, Equatable {
        package let sentences: [String]
    }

    /// Reads arguments, `--name value` or `--name=value`. Absent ones come from `environment`, or have a default.
    package init(arguments: [String], environment: [String: String]) throws(ArgumentFault) {
        let words = CommandArguments(arguments, SimulateCommand.syntax)
        var problems = words.problems
        url = Self.url(words.value("--url"), &problems)
        size = OfficeSize(
            organizations: Self.count(words, "orgs", &problems), rooms: Self.count(words, "rooms", &problems),
            users: Self.count(words, "users", &problems), guests: .all)
        let duration = words.value("--duration")
        if let length = UnitText.duration(duration), length >= .seconds(1), length <= Limits.length {
            size.length = length
        } else {
            problems.append("--duration \(duration): expected a time of 1s to 31d, such as 90s, 15m or 8h")
        }
        speed = Double(words.value("--speed")) ?? 0
        if !(speed > 0 && speed <= Limits.speed) {
            problems.append(
                "--speed \(words.value("--speed")): expected a number above 0, at most \(Int(Limits.speed))")
        }
        seed = UInt64(words.value("--seed")) ?? 0
        if UInt64(words.value("--seed")) == nil {
            problems.append("--seed \(words.value("--seed")): expected a whole number")
        }
        day = Self.count(words, "day", &problems)
        // Another word has been reported already.
        if let ending = OfficeSize.Ending(rawValue: words.value("--end")) { size.ending = ending }
        if let server = OfficeSize.Server(rawValue: words.value("--server")) { size.server = server }
        connections = Self.count(words, "connections", most: Limits.connections, &problems)
        lost = Self.share(words.value("--lose"), &problems)
        api = Self.address(words["--api"], &problems)
        lies = Self.lies(words["--lie"], &problems)
        if !lies.isEmpty, words["--api"] == nil { problems.append("--lie: needs --api, which is what lies") }
        givesKey = words["--key"] != nil || words["--secret"] != nil
        key = words["--key"] ?? environment["LIVEKIT_API_KEY"] ?? ""
        secret = Secret(words["--secret"] ?? environment["LIVEKIT_API_SECRET"] ?? "")
        if key.isEmpty { problems.append("no API key: give --key or set LIVEKIT_API_KEY") }
        if secret.isEmpty { problems.append("no API secret: set LIVEKIT_API_SECRET or give --secret") }
        guard problems.isEmpty else { throw ArgumentFault(sentences: problems) }
    }

    // MARK: Reading

    private static let anyURL = EndpointURL("http://127.0.0.1:3001/webhook")

    private static func url(_ text: String, _ problems: inout [String]) -> EndpointURL {
        let isBare = text.split(separator: "/", omittingEmptySubsequences: true).count <= 2
        let whole = isBare ? (text.hasSuffix("/") ? text : text + "/") + "webhook" : text
        guard let url = EndpointURL(whole) else {
            problems.append("--url \(text): expected an address such as http://127.0.0.1:3001")
            guard let anyURL else { preconditionFailure("the default address is one") }
            return anyURL
        }
        return url
    }

    /// Reads a part of the whole, such as `0.002` or `0.2%`.
    private static func share(_ text: String, _ problems: inout [String]) -> Double {
        let isPercent = text.hasSuffix("%")
        if let number = Double(isPercent ? String(text.dropLast()) : text) {
            let share = isPercent ? number / 100 : number
            if (0...1).contains(share) { return share }
        }
        problems.append("--lose \(PlainText.shown(text)): expected a share from 0 to 1, such as 0.002 or 0.2%")
        return 0
    }

    private static func address(_ text: String?, _ problems: inout [String]) -> ListenAddress? {
        guard let text else { return nil }
        do throws(ServingError) {
            return try ListenAddress(text)
        } catch {
            problems.append("--api \(PlainText.shown(text)): expected host:port, such as 127.0.0.1:7880 or :0")
            return nil
        }
    }

    private static func lies(_ text: String?, _ problems: inout [String]) -> Set<APILie> {
        let known = APILie.allCases.map(\.rawValue)
        var lies: Set<APILie> = []
        for word in (text ?? "").split(separator: ",").map(PlainText.trimmed) {
            if let lie = APILie(rawValue: word) {
                lies.insert(lie)
            } else {
                let hint = NearestWord.hint(for: word, among: known)
                let all = known.joined(separator: ", ")
                problems.append("--lie \(PlainText.shown(word)): expected a list of \(all).\(hint)")
            }
        }
        return lies
    }

    private static func count(
        _ words: CommandArguments, _ name: String, most: Int = Limits.count, _ problems: inout [String]
    ) -> Int {
        let text = words.value("--\(name)")
        guard let count = Int(text), count > 0, count <= most else {
            problems.append("--\(name) \(text): expected a whole number from 1 to \(most)")
            return 1
        }
        return count
    }
}
