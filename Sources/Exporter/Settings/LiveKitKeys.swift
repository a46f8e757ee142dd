package import LiveKit
package import Platform

/// The API keys that may sign webhooks, and where they come from.
package struct LiveKitKeys: Sendable {
    private enum Source: Sendable {
        case pair(key: String, secret: SecretSource)
        case file(String)
        case none
    }

    private let source: Source

    /// The keys cannot be read.
    package struct Unreadable: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    init(_ reader: inout SettingsReader) {
        let key = reader.text("LIVEKIT_API_KEY", "", "Key that signs the webhooks. Required, or LIVEKIT_KEYS_FILE.")
        let secret = reader.secretText("LIVEKIT_API_SECRET", "Its secret. Required, or LIVEKIT_KEYS_FILE.")
        let file = reader.text(
            "LIVEKIT_KEYS_FILE", "", "File with a line `key: secret` for each of several keys; SIGHUP reads it again.")
        switch (key.isEmpty, secret, file.isEmpty) {
        case (false, .some(let secret), true): source = .pair(key: key, secret: secret)
        case (true, nil, false):
            source = .file(file)
            do throws(Unreadable) {
                _ = try read()
            } catch {
                reader.report("LIVEKIT_KEYS_FILE: \(error)")
            }
        case (true, nil, true):
            source = .none
            reader.report("LIVEKIT_API_KEY and LIVEKIT_API_SECRET: required (or LIVEKIT_KEYS_FILE)")
        case (false, nil, true):
            source = .none
            reader.report("LIVEKIT_API_SECRET: required with LIVEKIT_API_KEY")
        case (true, .some, true):
            source = .none
            reader.report("LIVEKIT_API_KEY: required with LIVEKIT_API_SECRET")
        case (_, _, false):
            source = .none
            reader.report("LIVEKIT_KEYS_FILE: LIVEKIT_API_KEY or LIVEKIT_API_SECRET is set too: give one")
        }
    }

    /// The keys as they are now, secret by key.
    package func read() throws(Unreadable) -> [String: Secret] {
        Dictionary(try pairs().map { ($0.key, $0.secret) }) { first, _ in first }
    }

    /// Signs calls of the server API with the key that stands first.
    package func signer() throws(Unreadable) -> TokenSigner {
        guard let first = try pairs().first else { throw Unreadable(description: "no key is configured") }
        return TokenSigner(key: first.key, secret: first.secret)
    }

    private typealias Pair = (key: String, secret: Secret)

    private func pairs() throws(Unreadable) -> [Pair] {
        switch source {
        case .none: return []
        case .pair(let key, let secret):
            do throws(SecretSource.Unreadable) {
                return [(key, try secret.read())]
            } catch {
                throw Unreadable(description: error.description)
            }
        case .file(let path): return try Self.parse(path)
        }
    }

    /// LiveKit's own format: a YAML map of one level, comments allowed.
    private static func parse(_ path: String) throws(Unreadable) -> [Pair] {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileStore.read(path, limit: 1 << 20)
        } catch {
            throw Unreadable(description: error.description)
        }
        var keys: [Pair] = []
        for (index, line) in String(decoding: bytes, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).enumerated() {
            let words = trimmed(line)
            if words.isEmpty || words.hasPrefix("#") { continue }
            guard let colon = words.firstIndex(of: ":") else {
                throw Unreadable(description: "\(path) line \(index + 1): expected `key: secret`")
            }
            let key = unquoted(trimmed(words[..<colon]))
            let secret = unquoted(trimmed(words[words.index(after: colon)...]))
            guard !key.isEmpty, !secret.isEmpty else {
                throw Unreadable(description: "\(path) line \(index + 1): expected `key: secret`")
            }
            guard !keys.contains(where: { $0.key == key }) else {
                throw Unreadable(description: "\(path) line \(index + 1): the key is there twice")
            }
            keys.append((key, Secret(secret)))
        }
        guard !keys.isEmpty else { throw Unreadable(description: "\(path) holds no key") }
        return keys
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    private static func unquoted(_ text: Substring) -> String {
        for quote: Character in ["\"", "'"] where text.count >= 2 && text.first == quote && text.last == quote {
            return String(text.dropFirst().dropLast())
        }
        return String(text)
    }
}
