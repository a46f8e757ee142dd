import CPostgres
package import Storage

/// The checked URL of a database, with the secrets in it that must never be shown.
package struct PostgresAddress: Sendable {
    let url: String
    let hostCount: Int
    private let secrets: [String]

    /// Throws if libpq cannot read the URL. The error quotes nothing of it but names of parameters: a text that is not
    /// understood may be a password.
    package init(_ url: PostgresURL) throws(DatabaseURLFault) {
        self.url = url.exposed
        if let problem = ForeignParameters.problem(in: url.exposed) { throw DatabaseURLFault(problem) }
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(url.exposed, &message)
        defer {
            PQconninfoFree(options)
            PQfreemem(message)
        }
        guard let options else {
            let text = message.map { String(cString: $0) } ?? "out of memory"
            throw DatabaseURLFault("libpq cannot read it: \(Redaction.withoutQuotations(text))")
        }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        // libpq ends the password at the first @ or /. The rest of it would be shown as a host.
        let place = url.exposed.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "?" }
        let rest = place.drop { $0 != "@" && $0 != "/" }.dropFirst()
        let ports = values["port", default: ""].split(separator: ",", omittingEmptySubsequences: true)
        guard !rest.contains("@"), ports.allSatisfy({ UInt16($0) != nil }) else {
            throw DatabaseURLFault(
                "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE; in a password write @ as %40, / as %2F, : as %3A"
            )
        }
        hostCount = max(
            values["host", default: ""].split(separator: ",").count,
            values["hostaddr", default: ""].split(separator: ",").count, 1)
        secrets = ["password", "sslpassword"].compactMap { values[$0] }.filter { !$0.isEmpty }
    }

    /// Masks the secrets of the URL, and other known secrets, in a text of libpq.
    func redacted(_ text: String, and others: [String] = []) -> String {
        Redaction.without(secrets + others, in: text)
    }
}

/// Removes from texts what must not be shown.
enum Redaction {
    /// Masks every occurrence of each secret with dots.
    static func without(_ secrets: [String], in text: String) -> String {
        secrets.filter { !$0.isEmpty }.reduce(text) { $0.replacing($1, with: "••••") }
    }

    /// Replaces the text between double quotes with an ellipsis: PostgreSQL quotes the value that it could not read.
    static func withoutQuotations(_ text: String) -> String {
        guard let first = text.firstIndex(of: "\""), let last = text.lastIndex(of: "\""), first < last else {
            return text
        }
        // It cuts from the first quote to the last, because a value may hold quotes itself.
        return text[...first] + "…" + text[last...]
    }
}
