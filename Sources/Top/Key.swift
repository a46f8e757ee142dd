/// What a key asks for.
enum Key: Sendable, Equatable {
    case end
    case refresh
    case keys
    case leave
    case line(Int)
    case page(Int)
    case first
    case last
}

/// Reads keys from the bytes that a terminal sends. A key may be several bytes, which may come in several parts.
struct KeyReader: Sendable {
    private enum State {
        case idle
        /// After ESC.
        case escaped
        /// After ESC and [ or O, with the digits that followed.
        case sequence([UInt8])
    }

    private enum Limits {
        /// No key that we know has more.
        static let parameters = 8
    }

    private var state = State.idle

    /// The keys in these bytes. What is no key of ours is left out.
    mutating func read(_ bytes: some Sequence<UInt8>) -> [Key] { bytes.compactMap { take($0) } }

    private mutating func take(_ byte: UInt8) -> Key? {
        switch state {
        case .idle:
            if byte == 0x1B { state = .escaped }
            return Self.plain(byte)
        case .escaped:
            if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "O") {
                state = .sequence([])
                return nil
            }
            if byte == 0x1B { return .leave }
            state = .idle
            return Self.plain(byte)
        case .sequence(let parameters):
            if (0x20...0x3F).contains(byte) {
                state = .sequence(parameters.count < Limits.parameters ? parameters + [byte] : parameters)
                return nil
            }
            state = .idle
            return Self.special(byte, parameters)
        }
    }

    private static func plain(_ byte: UInt8) -> Key? {
        switch byte {
        // Ctrl-C and Ctrl-D, where they reach the program as bytes.
        case UInt8(ascii: "q"), UInt8(ascii: "Q"), 0x03, 0x04: .end
        case UInt8(ascii: "r"), UInt8(ascii: "R"), 0x0C: .refresh
        case UInt8(ascii: "h"), UInt8(ascii: "H"), UInt8(ascii: "?"): .keys
        case UInt8(ascii: "j"), 0x0A, 0x0D: .line(1)
        case UInt8(ascii: "k"): .line(-1)
        case UInt8(ascii: " "), UInt8(ascii: "f"), 0x06: .page(1)
        case UInt8(ascii: "b"), 0x02: .page(-1)
        case UInt8(ascii: "g"): .first
        case UInt8(ascii: "G"): .last
        default: nil
        }
    }

    /// The end of a sequence. https://www.xfree86.org/current/ctlseqs.html
    private static func special(_ byte: UInt8, _ parameters: [UInt8]) -> Key? {
        switch byte {
        case UInt8(ascii: "A"): return .line(-1)
        case UInt8(ascii: "B"): return .line(1)
        case UInt8(ascii: "H"): return .first
        case UInt8(ascii: "F"): return .last
        case UInt8(ascii: "~"):
            switch parameters.first {
            case UInt8(ascii: "1"), UInt8(ascii: "7"): return .first
            case UInt8(ascii: "4"), UInt8(ascii: "8"): return .last
            case UInt8(ascii: "5"): return .page(-1)
            case UInt8(ascii: "6"): return .page(1)
            default: return nil
            }
        default: return nil
        }
    }
}
