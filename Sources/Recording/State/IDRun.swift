/// Remembered ids with consecutive numbers, in the form in which they are saved: 16 bytes each, little-endian.
struct IDRun: Sendable {
    static let entry_bytes = 16

    let first: UInt64
    private(set) var bytes: [UInt8]
    /// When the newest of them was remembered.
    private(set) var latest_ms: Int64 = 0

    init(first: UInt64, bytes: [UInt8] = []) {
        self.first = first
        self.bytes = bytes
    }

    var count: Int { bytes.count / Self.entry_bytes }

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count * Self.entry_bytes) }

    mutating func append(_ entry: RememberedIDs.Entry) {
        latest_ms = max(latest_ms, entry.time_ms)
        append(entry.key)
        append(entry.saved)
    }

    subscript(place: Int) -> RememberedIDs.Entry {
        RememberedIDs.Entry(
            key: word(at: place * Self.entry_bytes), saved: word(at: place * Self.entry_bytes + Self.entry_bytes / 2))
    }

    private mutating func append(_ word: UInt64) {
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }

    private func word(at start: Int) -> UInt64 {
        var word: UInt64 = 0
        for place in 0..<8 { word |= UInt64(bytes[start + place]) << UInt64(8 * place) }
        return word
    }
}
