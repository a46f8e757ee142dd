/// Reads the fields of a protobuf message in order. https://protobuf.dev/programming-guides/encoding/
///
/// It takes any bytes: what is no message is a fault.
struct ProtobufReader {
    /// One field: its number and its value.
    enum Field: CustomStringConvertible {
        case varint(Int, UInt64)
        case fixed64(Int, UInt64)
        case bytes(Int, ArraySlice<UInt8>)

        var number: Int {
            switch self {
            case .varint(let number, _), .fixed64(let number, _), .bytes(let number, _): number
            }
        }

        /// The number and the wire type, without the value, which may be long.
        var description: String {
            switch self {
            case .varint(let number, _): "\(number) (varint)"
            case .fixed64(let number, _): "\(number) (fixed64)"
            case .bytes(let number, let content): "\(number) (\(content.count) bytes)"
            }
        }
    }

    private var bytes: ArraySlice<UInt8>
    /// The numbers of fields that may come more than once.
    private let repeated: Set<Int>
    private var seen: Set<Int> = []

    init(_ bytes: ArraySlice<UInt8>, repeated: Set<Int> = []) {
        self.bytes = bytes
        self.repeated = repeated
    }

    /// The next field. Nil at the end of the message.
    mutating func next() throws(WriteRequest.RequestFault) -> Field? {
        if bytes.isEmpty { return nil }
        let tag = try varint()
        guard (1...0x1FFF_FFFF).contains(tag >> 3) else { throw .init(description: "field number \(tag >> 3)") }
        let field = try value(Int(tag >> 3), wireType: tag & 7)
        guard seen.insert(field.number).inserted || repeated.contains(field.number) else {
            throw .init(description: "field \(field) twice")
        }
        return field
    }

    private mutating func value(_ number: Int, wireType: UInt64) throws(WriteRequest.RequestFault) -> Field {
        switch wireType {
        case 0: return .varint(number, try varint())
        case 1:
            guard bytes.count >= 8 else { throw .init(description: "cut in a fixed64") }
            let value = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            bytes = bytes.dropFirst(8)
            return .fixed64(number, value)
        case 2:
            let size = try varint()
            guard size <= UInt64(bytes.count) else { throw .init(description: "cut in a field") }
            defer { bytes = bytes.dropFirst(Int(size)) }
            return .bytes(number, bytes.prefix(Int(size)))
        default: throw .init(description: "wire type \(wireType)")
        }
    }

    private mutating func varint() throws(WriteRequest.RequestFault) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { throw .init(description: "cut in a varint") }
            // The tenth byte has room for one bit.
            guard shift < 63 || byte < 2 else { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw .init(description: "varint too long")
    }

    /// The numbers in a packed field.
    static func packed(_ content: ArraySlice<UInt8>) throws(WriteRequest.RequestFault) -> [UInt64] {
        var reader = ProtobufReader(content)
        var numbers: [UInt64] = []
        while !reader.bytes.isEmpty { numbers.append(try reader.varint()) }
        return numbers
    }

    /// The text in a field, which must be UTF-8.
    static func text(_ content: ArraySlice<UInt8>) throws(WriteRequest.RequestFault) -> String {
        guard let text = String(validating: content, as: UTF8.self) else { throw .init(description: "no UTF-8") }
        return text
    }

    /// Checks that bytes are some message, whatever its fields mean.
    static func skim(_ content: ArraySlice<UInt8>) throws(WriteRequest.RequestFault) {
        var reader = ProtobufReader(content, repeated: Set(1...64))
        while try reader.next() != nil {}
    }
}
