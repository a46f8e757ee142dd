import Platform

/// The API keys of LiveKit, and the place that they come from.
package struct LiveKitKeys: Sendable {
    private enum Source: Sendable {
        case pair(key: String, secret: SecretSource)
        case file(String)
        case none
    }

    private let source: Source

    /// The keys cannot be read.
    package struct KeysError: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    init(_ reader: inout SettingsReader) {
        let key = reader.text(
            "LIVEKIT_API_KEY", "", as: .token, "Key that signs the webhooks. Required, or LIVEKIT_KEYS_FILE.")
        let secret = reader.secretText("LIVEKIT_API_SECRET", "Its secret. Required, or LIVEKIT_KEYS_FILE.")
        let file = reader.text(
            "LIVEKIT_KEYS_FILE", "",
            "File with a line `key: secret` for each of several keys, read again when it changes.")
        switch (reader.isSet("LIVEKIT_API_KEY"), secret, reader.isSet("LIVEKIT_KEYS_FILE")) {
        case (true, .some(let secret), false): source = .pair(key: key, secret: secret)
        case (false, nil, true):
            source = .file(file)
            do throws(KeysError) {
                _ = try read()
            } catch {
                reader.report("LIVEKIT_KEYS_FILE: \(error)")
            }
        case (false, nil, false):
            source = .none
            reader.report("LIVEKIT_API_KEY and LIVEKIT_API_SECRET: required (or LIVEKIT_KEYS_FILE)")
        case (true, nil, false):
            source = .none
            reader.report("LIVEKIT_API_SECRET: required with LIVEKIT_API_KEY")
        case (false, .some, false):
            source = .none
            reader.report("LIVEKIT_API_KEY: required with LIVEKIT_API_SECRET")
        case (_, _, true):
            source = .none
            reader.report("LIVEKIT_KEYS_FILE: LIVEKIT_API_KEY or LIVEKIT_API_SECRET is set too: give one")
        }
    }

    /// True if the keys may change while the program runs.
    package var isInFile: Bool {
        switch source {
        case .file, .pair(_, .file): true
        case .pair(_, .value), .none: false
        }
    }

    /// Reads the current keys. The first one signs requests to LiveKit.
    package func read() throws(KeysError) -> [KeyPair] {
        switch source {
        case .none: return []
        case .pair(let key, let secret):
            do throws(SecretSource.SecretError) {
                return [KeyPair(key: key, secret: try secret.read())]
            } catch {
                throw KeysError(description: error.description)
            }
        case .file(let path):
            do throws(TextFile.ReadError) {
                return try KeysFile.read(path)
            } catch {
                throw KeysError(description: error.description)
            }
        }
    }
}
