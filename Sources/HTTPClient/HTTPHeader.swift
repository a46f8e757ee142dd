/// A request header. Its name and value cannot hold the end of a line.
package struct HTTPHeader: Sendable, Equatable {
    package let name: String
    package let value: String

    /// Returns nil if the name is no token, or if the value holds a control character.
    /// https://www.rfc-editor.org/rfc/rfc9110#section-5.5
    package init?(_ name: String, _ value: String) {
        guard !name.isEmpty, name.utf8.allSatisfy(Self.isToken),
            value.utf8.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) })
        else { return nil }
        self.name = name
        self.value = value
    }

    /// A header whose name the program itself spells out. Traps if it is malformed.
    package init(known name: StaticString, _ value: String) {
        guard let header = HTTPHeader("\(name)", value) else { preconditionFailure("\(name) is no valid header") }
        self = header
    }

    /// The line in the form that curl takes. A semicolon stands for an empty value.
    var line: String { value.isEmpty ? "\(name);" : "\(name): \(value)" }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
