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

    static let help = """
        lkpush top [URL]: a live picture of a running lkpush in the terminal

        URL is the private listener of lkpush (METRICS_LISTEN), such as http://127.0.0.1:9464 or only
        lkpush.example:9464; a path that a proxy puts before it belongs to it. Without URL it is the METRICS_LISTEN of
        the environment, else http://127.0.0.1:9464.

          --interval TIME   the time between two pictures                     (1s; where output is no terminal 5s)
          --once            one picture of everything, then end
          --json            the document of GET /debug/status as it came, one line for each interval
          --note TEXT       a line to show with the figures; may be given several times

        In a terminal: q or Ctrl-C ends it, the arrows, PgUp, PgDn, Home, End, j and k scroll, r asks at once, h shows
        the keys. What is wrong comes first, with its cause and what to do. Without colors where NO_COLOR is set.

        Where standard output is no terminal (or TERM=dumb) it writes plain lines of at most 80 columns: a block for
        each interval, and the problems whenever they change.

        Exit status: 0 after q or --once, 1 when lkpush does not answer (in a terminal it asks again instead),
        64 for wrong arguments, 74 when the output cannot be written, 128 and the signal's number after a signal, such as
        130 after Ctrl-C.
        """

    /// Reads arguments, `--name value` or `--name=value`. The address may come from `environment`.
    init(arguments: [String], environment: [String: String]) throws(ArgumentFault) {
        var problems: [String] = []
        var address: String?
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-" else {
                if address != nil { problems.append("\(PlainText.shown(word)): one address at a time") }
                address = word
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = parts[0]
            switch name {
            case "--json", "--once":
                if parts.count > 1 { problems.append("\(name): takes no value") }
                if name == "--json" { isJSON = true } else { isOnce = true }
            case "--interval", "--note":
                guard let value = parts.count > 1 ? parts[1] : rest.popFirst() else {
                    problems.append("\(name): needs a value")
                    continue
                }
                if name == "--note" {
                    notes.append(value)
                } else if let time = UnitText.duration(value), Limits.interval.contains(time) {
                    interval = time
                } else {
                    problems.append(
                        "--interval \(PlainText.shown(value)): expected a time of 100ms to 1h, such as 1s or 500ms")
                }
            default: problems.append("\(PlainText.shown(name)): unknown\(Self.hint(name)); see lkpush top --help")
            }
        }
        let text = address ?? Self.listener(environment["METRICS_LISTEN"] ?? "") ?? Limits.address
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

    /// The flag that was perhaps meant: the one with the same beginning.
    private static func hint(_ name: String) -> String {
        let letters = name.drop { $0 == "-" }.lowercased()
        guard let first = letters.first else { return "" }
        let near = ["--json", "--once", "--interval", "--note", "--help"].first { flag in
            flag.dropFirst(2).first == first
        }
        return near.map { "; is \($0) meant?" } ?? ""
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
