import Journal
import Wire

/// The bytes of a snapshot file.
///
/// Numbers are stored with the least significant byte first. The parts are: magic (8 bytes), format (4), length of the
/// header (4), length of the body (8), CRC-32C of the body (4), CRC-32C of everything before it and of the header (4),
/// the header as a protobuf message, the body. Nothing follows.
enum SnapshotFormat {
    /// The result of decoding a file.
    enum Decoded {
        case snapshot(Snapshot)
        /// A newer program wrote the file, in this format.
        case newer(Int)
        /// The file cannot be used, for this reason.
        case damaged(String)
    }

    private static let magic = Array("LKPSNAP\n".utf8)
    private static let prefix_bytes = 32
    /// The offset of the checksum of prefix and header.
    private static let checksumPlace = 28

    /// Returns everything before the body.
    static func head(_ header: SnapshotHeader, format: Int, body: [UInt8]) -> [UInt8] {
        let message = header.encode()
        var bytes = magic
        append(UInt64(format), places: 4, to: &bytes)
        append(UInt64(message.count), places: 4, to: &bytes)
        append(UInt64(body.count), places: 8, to: &bytes)
        append(UInt64(Checksum.crc32c(body.span)), places: 4, to: &bytes)
        let crc = Checksum.crc32c(message.span, after: Checksum.crc32c(bytes.span))
        append(UInt64(crc), places: 4, to: &bytes)
        return bytes + message
    }

    static func read(_ bytes: [UInt8], format: Int) -> Decoded {
        guard bytes.count >= prefix_bytes, bytes.starts(with: magic) else { return .damaged("it is no snapshot") }
        let found = number(bytes, 8, places: 4)
        let headerLength = number(bytes, 12, places: 4)
        let bodyLength = number(bytes, 16, places: 8)
        guard headerLength <= UInt64(bytes.count - prefix_bytes) else { return .damaged("its header is cut off") }
        let bodyStart = prefix_bytes + Int(headerLength)
        let crc = Checksum.crc32c(
            bytes.span.extracting(prefix_bytes..<bodyStart),
            after: Checksum.crc32c(bytes.span.extracting(..<checksumPlace)))
        guard UInt64(crc) == number(bytes, checksumPlace, places: 4) else {
            return .damaged("its header has a wrong checksum")
        }
        // Of a file of a newer program nothing is understood but that its header is whole.
        if found > UInt64(format) { return .newer(Int(found)) }
        guard bodyLength == UInt64(bytes.count - bodyStart) else { return .damaged("it is cut off") }
        guard UInt64(Checksum.crc32c(bytes.span.extracting(bodyStart...))) == number(bytes, 24, places: 4) else {
            return .damaged("it has a wrong checksum")
        }
        do throws(MessageFault) {
            let header = try SnapshotHeader(decoding: MessageReader(Array(bytes[prefix_bytes..<bodyStart])))
            return .snapshot(Snapshot(header: header, body: Array(bytes[bodyStart...])))
        } catch {
            return .damaged(error.description)
        }
    }

    private static func append(_ value: UInt64, places: Int, to bytes: inout [UInt8]) {
        for place in 0..<places { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place))) }
    }

    private static func number(_ bytes: [UInt8], _ position: Int, places: Int) -> UInt64 {
        var value: UInt64 = 0
        for place in 0..<places { value |= UInt64(bytes[position + place]) << UInt64(8 * place) }
        return value
    }
}
