import HTTPClient
import Platform

/// The header that says who sends, kept up to date with the file that holds the secret.
struct ShipperCredentials {
    private let credentials: ShipperSettings.Credentials
    private var secret: Secret?

    /// The header to send; nil where there are no credentials or their file cannot be read.
    private(set) var header: HTTPHeader?

    init(_ credentials: ShipperSettings.Credentials) { self.credentials = credentials }

    /// Reads the file again; true where the header is another one than before.
    mutating func reload() throws(SystemError) -> Bool {
        switch credentials {
        case .none: return false
        case .basic(let user, let password):
            return adopt(try Self.read(password)) { "Basic " + Base64Text.encode("\(user):\($0)") }
        case .bearer(let token):
            return adopt(try Self.read(token)) { "Bearer \($0)" }
        }
    }

    private mutating func adopt(_ new: Secret, _ value: (String) -> String) -> Bool {
        guard new != secret else { return false }
        secret = new
        header = HTTPHeader("Authorization", value(new.exposed))
        return true
    }

    private static func read(_ source: SecretSource) throws(SystemError) -> Secret {
        switch source {
        case .value(let secret): return secret
        case .file(let path):
            var bytes = try FileStore.read(path, limit: 65_536)
            while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
            return Secret(String(decoding: bytes, as: UTF8.self))
        }
    }
}

/// https://www.rfc-editor.org/rfc/rfc4648#section-4
private enum Base64Text {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var encoded: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for byte in group { bits = bits << 8 | UInt32(byte) }
            bits <<= 8 * UInt32(3 - group.count)
            for index in 0..<4 {
                let digit = alphabet[Int(bits >> UInt32(18 - 6 * index)) & 0x3F]
                encoded.append(index <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
