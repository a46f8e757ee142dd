/// The source of a secret: the environment, or a file that may change while the program runs.
package enum SecretSource: Sendable, Equatable {
    case value(Secret)
    case file(String)

    /// The file cannot be read, is empty, or holds characters that no secret has.
    package struct SecretError: Error, Sendable, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// The largest file that is read: longer than any secret, or any URL that holds one.
    private static let size_bytes_max = 64 << 10

    /// Reads the current secret. Invisible characters around the content of a file are not part of it.
    package func read() throws(SecretError) -> Secret {
        switch self {
        case .value(let secret): return secret
        case .file(let path):
            do throws(TextFile.ReadError) {
                return Secret(try Self.content(of: path))
            } catch {
                throw SecretError(description: error.description)
            }
        }
    }

    private static func content(of path: String) throws(TextFile.ReadError) -> String {
        let text = try TextFile.read(path, limit: size_bytes_max)
        let content = PlainText.trimmed(text)
        guard !content.isEmpty else { throw TextFile.ReadError("\(path) is empty") }
        if let flaw = PlainText.flaw(in: content, as: .token) {
            let before = text.unicodeScalars.prefix { PlainText.isInvisible($0) }
            let first = before.count { $0 == "\n" } + 1
            throw TextFile.ReadError(path, line: first, flaw)
        }
        return content
    }
}
