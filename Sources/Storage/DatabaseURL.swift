/// The value of `DATABASE_URL`, as the adapter of that database reads it. Every printed form of it masks its secrets.
package protocol DatabaseURL: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The schemes that the adapter answers for, in lower case. Schemes that other clients use for the same database are
    /// among them: `init` then says what to write instead.
    static var schemes: [String] { get }
    /// The form of such a URL, for error messages: `sqlite:PATH`.
    static var form: String { get }
    /// The same in Markdown, for the list of settings.
    static var help: String { get }

    /// Reads a text that begins with one of the schemes.
    init(_ text: String) throws(DatabaseURLFault)

    /// Throws if no connection can ever be made with this URL. It does not connect.
    func check() throws(DatabaseURLFault)
}

extension DatabaseURL {
    package static var help: String { "`\(form)`" }
    package func check() throws(DatabaseURLFault) {}
    package var debugDescription: String { description }
}

/// An error in a database's URL. It repeats nothing of the value but its scheme.
package struct DatabaseURLFault: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
