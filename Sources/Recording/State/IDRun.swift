/// Remembered ids with consecutive numbers, in their saved form: 16 bytes each, little-endian.
struct IDRun: Sendable {
    static let entry_bytes = 16

    static let end_bytes = 4
    static let version_bytes = 8

    let first: UInt64
    private(set) var bytes: [UInt8]
    /// The ends, 4 bytes for each id; empty if ends are not kept.
    private(set) var ends: [UInt8]
    /// The versions, 8 bytes for each id; empty if versions are not kept.
    private(set) var versions: [UInt8]
    /// The time at which the newest of the ids was remembered.
    private(set) var latest_ms: Int64 = 0

    init(first: UInt64, bytes: [UInt8] = [], ends: [UInt8] = [], versions: [UInt8] = []) {
        self.first = first
        self.bytes = bytes
        self.ends = ends
        self.versions = versions
    }

    var count: Int { bytes.count / Self.entry_bytes }

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count * Self.entry_bytes) }

    mutating func append(_ entry: RememberedIDs.Entry) {
        latest_ms = max(latest_ms, entry.time_ms)
        Self.append(entry.key, to: &bytes)
        Self.append(entry.saved, to: &bytes)
    }

    mutating func append(end: UInt32) { Self.append(end, to: &ends) }

    mutating func append(version: UInt64) { Self.append(version, to: &versions) }

    subscript(place: Int) -> RememberedIDs.Entry {
        let start = place * Self.entry_bytes
        return RememberedIDs.Entry(
            key: Self.word(in: bytes, at: start), saved: Self.word(in: bytes, at: start + Self.entry_bytes / 2))
    }

    /// Returns the end of an id; 0 if it was not kept.
    func end(at place: Int) -> UInt32 { ends.isEmpty ? 0 : Self.word(in: ends, at: place * Self.end_bytes) }

    /// Returns the packed version of an id at its end; 0 if none was kept.
    func version(at place: Int) -> UInt64 {
        versions.isEmpty ? 0 : Self.word(in: versions, at: place * Self.version_bytes)
    }

    private static func append<Word: FixedWidthInteger>(_ word: Word, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: Word.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> Word(shift)))
        }
    }

    private static func word<Word: FixedWidthInteger>(in bytes: [UInt8], at start: Int) -> Word {
        var word: Word = 0
        for place in 0..<(Word.bitWidth / 8) { word |= Word(bytes[start + place]) << Word(8 * place) }
        return word
    }
}
