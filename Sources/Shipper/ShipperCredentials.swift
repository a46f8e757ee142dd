import HTTPClient
import Platform
import Wire

/// The header `Authorization`. It follows changes of the file that holds the secret.
struct ShipperCredentials {
    private let credentials: ShipperSettings.Credentials
    private let variables: DestinationVariables
    private var secret: Secret?

    /// The header to send. Nil if there are no credentials, or if their file could not be read yet.
    private(set) var header: HTTPHeader?

    init(_ settings: ShipperSettings) {
        credentials = settings.credentials
        variables = settings.variables
    }

    /// The texts that nobody may read: the secret, and the form in which it is sent.
    var secrets: [String] {
        [secret?.exposed, header.flatMap { $0.value.split(separator: " ").last.map(String.init) }].compactMap { $0 }
    }

    /// Reads the file again. Returns true if the header has changed.
    mutating func reload() throws(SecretSource.SecretError) -> Bool {
        switch credentials {
        case .none: return false
        case .basic(let user, let password):
            return try adopt(password.read()) {
                "Basic " + String(decoding: Base64.standard.encode(Array("\(user):\($0)".utf8).span), as: UTF8.self)
            }
        case .bearer(let token):
            let token = try token.read()
            guard !token.exposed.contains(where: \.isWhitespace) else {
                throw SecretSource.SecretError(
                    description:
                        "\(variables.bearerToken) holds a blank; give the token alone, without the word Bearer")
            }
            return try adopt(token) { "Bearer \($0)" }
        }
    }

    private mutating func adopt(_ new: Secret, _ value: (String) -> String) throws(SecretSource.SecretError) -> Bool {
        guard new != secret else { return false }
        guard let made = HTTPHeader("Authorization", value(new.exposed)) else {
            throw SecretSource.SecretError(description: "the secret holds characters that no header may")
        }
        secret = new
        header = made
        return true
    }
}
