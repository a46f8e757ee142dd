import CPostgres
import Storage

/// What lkpush must know of a URL that libpq reads: whether it can be used, and what must never be shown.
struct PostgresAddress: Sendable {
    let url: String
    let hostCount: Int
    private let secrets: [String]

    /// Throws where libpq cannot read the URL. Nothing of it is in the error but names of parameters: what is not
    /// understood may be a password.
    init(_ url: DatabaseURL.PostgresURL) throws(DatabaseURL.URLFault) {
        self.url = url.exposed
        if let problem = ForeignParameters.problem(in: url.exposed) { throw DatabaseURL.URLFault(problem) }
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(url.exposed, &message)
        defer {
            PQconninfoFree(options)
            PQfreemem(message)
        }
        guard let options else {
            let text = message.map { String(cString: $0) } ?? "out of memory"
            throw DatabaseURL.URLFault("libpq cannot read it: \(Redaction.withoutQuotations(text))")
        }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        // libpq takes the first @ or / for the end of the password; what follows would be shown as a host.
        let place = url.exposed.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "?" }
        let rest = place.drop { $0 != "@" && $0 != "/" }.dropFirst()
        let ports = values["port", default: ""].split(separator: ",", omittingEmptySubsequences: true)
        guard !rest.contains("@"), ports.allSatisfy({ UInt16($0) != nil }) else {
            throw DatabaseURL.URLFault(
                "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE; in a password write @ as %40, / as %2F, : as %3A"
            )
        }
        hostCount = max(
            values["host", default: ""].split(separator: ",").count,
            values["hostaddr", default: ""].split(separator: ",").count, 1)
        secrets = ["password", "sslpassword"].compactMap { values[$0] }.filter { !$0.isEmpty }
    }

    /// A text of libpq without the URL's secrets and others that are known.
    func redacted(_ text: String, and others: [String] = []) -> String {
        Redaction.without(secrets + others, in: text)
    }
}

/// Takes out of texts what must not be shown.
enum Redaction {
    /// Every occurrence of each secret becomes dots.
    static func without(_ secrets: [String], in text: String) -> String {
        secrets.filter { !$0.isEmpty }.reduce(text) { $0.replacing($1, with: "••••") }
    }

    /// What stands between double quotes becomes an ellipsis: there PostgreSQL repeats the value it could not read.
    static func withoutQuotations(_ text: String) -> String {
        guard let first = text.firstIndex(of: "\""), let last = text.lastIndex(of: "\""), first < last else {
            return text
        }
        // From the first to the last: a value may hold quotes itself.
        return text[...first] + "…" + text[last...]
    }
}
