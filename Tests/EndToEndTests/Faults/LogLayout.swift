import Platform

/// The places of the frames in SQLite's write-ahead log, according to the description of the format.
/// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
struct LogLayout {
    private static let header_bytes = 32
    private static let frameHeader_bytes = 24

    /// The bytes of each valid frame, in order.
    private(set) var frames: [Range<Int>] = []
    /// The indexes in `frames` at which a transaction ends.
    private(set) var commits: [Int] = []

    init(_ file: String) throws {
        let bytes = try FileStore.read(file, limit: 256 << 20)
        func word(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        guard bytes.count >= Self.header_bytes else { return }
        let frame_bytes = Self.frameHeader_bytes + word(8)
        let salts = bytes[16..<24]
        var at = Self.header_bytes
        // Frames of an earlier use of the file follow the valid ones. They have other salts.
        while at + frame_bytes <= bytes.count, bytes[at + 8..<at + 16].elementsEqual(salts) {
            if word(at + 4) != 0 { commits.append(frames.count) }
            frames.append(at..<at + frame_bytes)
            at += frame_bytes
        }
    }

    /// The bytes of all transactions except the last one.
    var beforeLastCommit: Range<Int>? {
        guard commits.count >= 2, let start = frames.first?.lowerBound else { return nil }
        return start..<frames[commits[commits.count - 2]].upperBound
    }
}
