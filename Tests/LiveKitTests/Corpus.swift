import Foundation
import LiveKit
import Platform
import Testing
import Wire

/// The recorded webhook bodies in `Data`, with what is expected of each. Read with Foundation's decoder, so that the
/// reader under test does not judge itself.
struct Corpus: Decodable {
    /// One body of `index.json`.
    struct Entry: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let event: String
        let id: String
        let bytes: Int
        let headers: [String: String]
        let expected: [String: Expectation]

        var testDescription: String { file }

        /// The exact bytes.
        func body() throws -> [UInt8] { try Corpus.bytes(file) }
    }

    /// A value of `expected`.
    enum Expectation: Decodable, Sendable, Equatable {
        case text(String)
        case number(Double)
        case flag(Bool)
        case absent

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .absent
            } else if let flag = try? value.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try value.decode(String.self))
            }
        }
    }

    let api_key: String
    let api_secret: String
    let second_key: String
    let second_secret: String
    let files: [Entry]

    /// Both keys.
    var keys: [String: Secret] { [api_key: Secret(api_secret), second_key: Secret(second_secret)] }

    static let shared: Corpus = load("index.json")

    /// The bytes of a file in `Data`.
    static func bytes(_ file: String) throws -> [UInt8] {
        try FileStore.read(Bundle.module.bundlePath + "/Data/" + file, limit: 1 << 20)
    }

    /// A file in `Data` that no test can do without.
    static func load<Value: Decodable>(_ file: String) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes(file)))
        } catch {
            preconditionFailure("\(file) cannot be read: \(error)")
        }
    }
}

extension EventDecoder {
    /// Decodes text.
    func decode(_ text: String) throws(DecodingFault) -> Event {
        let bytes = Array(text.utf8)
        return try decode(bytes.span)
    }
}
