/// Writes a message of numbered fields in the protobuf wire format.
///
/// A field whose value is zero or empty is left out, as in proto3; a reader takes an absent field for zero. Only the
/// growth of the buffer allocates.
/// https://protobuf.dev/programming-guides/encoding/
package struct MessageWriter: Sendable {
    /// The bounds of the format, each with its reason.
    package enum Limits {
        /// The longest nested message: its length is written in four bytes with seven bits each, after the message is
        /// known.
        package static let nested_bytes = 1 << 28 - 1
    }

    /// The wire type of a field. https://protobuf.dev/programming-guides/encoding/#structure
    enum WireType: UInt64 {
        case varint = 0
        case eightBytes = 1
        case bytes = 2
    }

    private static let lengthPlaces = 4

    /// The bytes written so far.
    package private(set) var bytes: [UInt8]

    /// - Parameter bytes: the buffer to append to, for example one that was used before.
    package init(appendingTo bytes: consuming [UInt8] = []) { self.bytes = bytes }

    package var count: Int { bytes.count }

    /// Reserves room, so that `count` more bytes need no allocation.
    package mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    /// Removes what was written and keeps the buffer's memory.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    // MARK: Fields

    /// Writes an unsigned number that is seldom large (`uint64`).
    package mutating func field(_ number: Int, _ value: UInt64) {
        if value == 0 { return }
        tag(number, .varint)
        bytes.appendVarint(value)
    }

    /// Writes a signed number (`sint64`).
    package mutating func field(_ number: Int, _ value: Int64) {
        field(number, UInt64(bitPattern: value << 1 ^ value >> 63))
    }

    package mutating func field(_ number: Int, _ value: Int) { field(number, Int64(value)) }

    package mutating func field(_ number: Int, _ value: Bool) { field(number, value ? 1 as UInt64 : 0) }

    /// Writes a floating-point number (`double`).
    package mutating func field(_ number: Int, _ value: Double) {
        if value.bitPattern == 0 { return }
        tag(number, .eightBytes)
        eightBytes(value.bitPattern)
    }

    /// Writes a number that is as likely large as small (`fixed64`).
    package mutating func field(_ number: Int, fixed value: UInt64) {
        if value == 0 { return }
        tag(number, .eightBytes)
        eightBytes(value)
    }

    /// Writes a text.
    package mutating func field(_ number: Int, _ value: String) {
        if value.isEmpty { return }
        element(number, value)
    }

    /// Writes a text even if it is empty: an element of a list, or a field whose presence means something.
    package mutating func element(_ number: Int, _ value: String) {
        tag(number, .bytes)
        bytes.appendVarint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// Writes a signed number even if it is zero, because its presence means something.
    package mutating func element(_ number: Int, _ value: Int64) {
        tag(number, .varint)
        bytes.appendVarint(UInt64(bitPattern: value << 1 ^ value >> 63))
    }

    /// Writes an unsigned number even if it is zero.
    package mutating func element(_ number: Int, unsigned value: UInt64) {
        tag(number, .varint)
        bytes.appendVarint(value)
    }

    /// Writes a floating-point number even if it is zero.
    package mutating func element(_ number: Int, fraction value: Double) {
        tag(number, .eightBytes)
        eightBytes(value.bitPattern)
    }

    /// Writes bytes, even if there are none.
    package mutating func field(_ number: Int, bytes value: [UInt8]) {
        tag(number, .bytes)
        bytes.appendVarint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Writes a nested message, even if it is empty.
    package mutating func message(_ number: Int, _ body: (inout MessageWriter) -> Void) {
        let place = begin(number)
        body(&self)
        end(place)
    }

    /// Begins a nested message without a closure. Returns the place that `end` takes.
    package mutating func begin(_ number: Int) -> Int {
        tag(number, .bytes)
        for _ in 0..<Self.lengthPlaces { bytes.append(0) }
        return bytes.count - Self.lengthPlaces
    }

    /// Ends the nested message that began at `place`.
    package mutating func end(_ place: Int) {
        let length = bytes.count - place - Self.lengthPlaces
        precondition(length <= Limits.nested_bytes, "a nested message has a bound")
        // A varint may be longer than necessary, so four bytes fit every length and the message is written in one pass.
        for index in 0..<Self.lengthPlaces {
            let more: UInt8 = index < Self.lengthPlaces - 1 ? 0x80 : 0
            bytes[place + index] = UInt8(truncatingIfNeeded: length >> (7 * index)) & 0x7F | more
        }
    }

    // MARK: Bytes

    private mutating func tag(_ number: Int, _ wireType: WireType) {
        assert(number > 0, "fields are numbered from 1")
        bytes.appendVarint(UInt64(number) << 3 | wireType.rawValue)
    }

    private mutating func eightBytes(_ value: UInt64) {
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
