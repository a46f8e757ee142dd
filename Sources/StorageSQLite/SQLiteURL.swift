package import Storage

/// The path of a database file: `sqlite:PATH`.
package struct SQLiteURL: DatabaseURL, Equatable {
    package static let schemes = ["sqlite"]
    package static let form = "sqlite:PATH"

    package let path: String

    package init(_ text: String) throws(DatabaseURLFault) {
        let rest = text.drop { $0 != ":" }.dropFirst()
        // `sqlite:///path` is the same path; `sqlite://host` would be on another machine.
        if rest.hasPrefix("//") && !rest.hasPrefix("///") {
            throw DatabaseURLFault("expected \(Self.form), got sqlite:// with a host")
        }
        let path = rest.hasPrefix("///") ? rest.dropFirst(2) : rest
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw DatabaseURLFault("expected \(Self.form), got no path")
        }
        self.path = String(path)
    }

    package var description: String { "sqlite:\(path)" }
}
