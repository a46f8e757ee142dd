package import Platform

/// Where a secret comes from: the environment, or a file that may change while the program runs.
package enum SecretSource: Sendable, Equatable {
    case value(Secret)
    case file(String)

    /// The file cannot be read, or is empty.
    package struct Unreadable: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The secret as it is now; white space around a file's content does not belong to it.
    package func read() throws(Unreadable) -> Secret {
        switch self {
        case .value(let secret): return secret
        case .file(let path):
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try FileStore.read(path, limit: 64 << 10)
            } catch {
                throw Unreadable(description: error.description)
            }
            var content = Substring(decoding: bytes, as: UTF8.self)
            while content.first?.isWhitespace == true { content.removeFirst() }
            while content.last?.isWhitespace == true { content.removeLast() }
            guard !content.isEmpty else { throw Unreadable(description: "\(path) is empty") }
            return Secret(String(content))
        }
    }
}
