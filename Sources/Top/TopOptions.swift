import HTTPClient
import Platform

/// The options of `lkpush top`.
struct TopOptions: Sendable {
    enum Limits {
        /// lkpush makes a new copy of its state once a second at most; a shorter interval shows nothing newer.
        static let interval = Duration.milliseconds(100)...Duration.seconds(3_600)
        /// The private listener of a standard lkpush.
        static let address = "http://127.0.0.1:9464"
    }

    /// The address of the status document.
    var url: EndpointURL
    /// The address of lkpush for people, without what is secret in it.
    var address: String {
        let document = "/debug/status"
        let text = url.description
        return text.hasSuffix(document) ? String(text.dropLast(document.count)) : text
    }
    var isJSON = false
    var isOnce = false
    /// Nil for the interval that suits where the output goes.
    var interval: Duration?
    /// Lines to show with the figures.
    var notes: [String] = []

    /// Invalid arguments, with one sentence for each mistake.
    struct ArgumentFault: Error, Equatable {
        let sentences: [String]
    }

    /// Reads arguments, `--name value` or `--name=value`. The address may come from `environment`.
    init(arguments: [String], environment: [String: String]) throws(ArgumentFault) {
        let words = CommandArguments(arguments, TopCommand.syntax)
        var problems = words.problems
        isJSON = words["--json"] != nil
        isOnce = words["--once"] != nil
        notes = words.all("--note")
        if let text = words["--interval"] {
            if let time = UnitText.duration(text), Limits.interval.contains(time) {
                interval = time
            } else {
                problems.append(
                    "--interval \(PlainText.shown(text)): expected a time of 100ms to 1h, such as 1s or 500ms")
            }
        }
        let text = words.argument ?? Self.listener(environment["METRICS_LISTEN"] ?? "") ?? Limits.address
        if let url = Self.document(at: text) {
            self.url = url
        } else {
            problems.append(
                "\(PlainText.shown(text)): expected the address of lkpush's private listener, such as \(Limits.address)"
            )
            // Nothing is asked: the mistakes are reported.
            guard let url = EndpointURL(Limits.address) else { preconditionFailure("the default address is one") }
            self.url = url
        }
        guard problems.isEmpty else { throw ArgumentFault(sentences: problems) }
    }

    // MARK: Addresses

    /// The address of the document of a lkpush that is named as people do: with or without `http://`, and perhaps with
    /// the path of one of its pages. A path that a proxy puts before it stays, and so does a query.
    static func document(at text: String) -> EndpointURL? {
        let text = PlainText.trimmed(text)
        let whole = text.contains("://") ? text : "http://" + text
        let base = whole.prefix { $0 != "?" && $0 != "#" }
        let query = whole.dropFirst(base.count).prefix { $0 != "#" }
        guard let scheme = base.firstRange(of: "://"), scheme.upperBound < base.endIndex else { return nil }
        var path = base
        func dropSlashes() { while path.hasSuffix("/"), path.endIndex > scheme.upperBound { path = path.dropLast() } }
        dropSlashes()
        for page in ["/metrics", "/debug/status", "/healthz", "/readyz"] where path.hasSuffix(page) {
            path = path.dropLast(page.count)
            dropSlashes()
            break
        }
        return EndpointURL("\(path)/debug/status\(query)")
    }

    /// The address at which a listener of this machine is reached. Nil if the setting has no host and port.
    static func listener(_ setting: String) -> String? {
        let text = PlainText.trimmed(setting)
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        switch text[..<colon] {
        case "", "0.0.0.0": return "http://127.0.0.1:\(port)"
        case "[::]": return "http://[::1]:\(port)"
        case let host: return "http://\(host):\(port)"
        }
    }
}
