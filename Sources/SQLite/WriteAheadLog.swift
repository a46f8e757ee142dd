import Platform

/// Finds damage in SQLite's write-ahead log. SQLite itself takes everything after a bad frame for a commit that was
/// never finished, and drops it without a word.
///
/// Commits are synchronized one after the other, so at most the last one can be unfinished. Where two or more commits
/// of this log follow a bad frame, the frame was damaged later. https://www.sqlite.org/fileformat2.html#walformat
package struct WriteAheadLog {
    private static let header_bytes = 32
    private static let frameHeader_bytes = 24
    /// The page size of the files of lkpush: SQLite's own default.
    private static let page_bytes = 4_096
    /// Larger logs are not examined. Logs are bounded, so only one large commit makes a larger one.
    private static let examined_bytes = 256 << 20

    /// Commits that had been finished cannot be read.
    package private(set) var isDamaged = false
    /// The whole log where it is damaged, for a person to look at. Opening the file removes the log itself.
    package private(set) var evidence: [UInt8] = []

    /// Reads the log at `path`. A log that is missing or cannot be read is not known to be damaged.
    package init(path: String) {
        // A log that cannot be read now is reported when SQLite reads it.
        guard let bytes = try? FileStore.read(path, limit: Self.examined_bytes) else { return }
        isDamaged = Self.isDamaged(bytes)
        if isDamaged { evidence = bytes }
    }

    static func isDamaged(_ bytes: [UInt8]) -> Bool {
        guard bytes.count > header_bytes + frameHeader_bytes else { return false }
        let magic = big(bytes, 0)
        let page = page_bytes
        var sum = WALChecksum(isBigEndian: magic & 1 == 1)
        sum.add(bytes, 0..<24)
        // The header is synchronized before its frames and is within one sector, so a crash does not tear it.
        var isGood = magic | 1 == 0x377F_0683 && Int(big(bytes, 8)) == page && sum.isEqual(to: bytes, at: 24)
        let frame_bytes = frameHeader_bytes + page
        var position = header_bytes
        var commitsAfterDamage = 0
        // Without a good header, the frames that have the salts of the first frame are taken for one log with it.
        let salts = isGood ? 16 : header_bytes + 8
        while position + frame_bytes <= bytes.count {
            let isOfThisLog =
                big(bytes, position + 8) == big(bytes, salts) && big(bytes, position + 12) == big(bytes, salts + 4)
            if isGood {
                // A frame that fails this is damaged, or is left over from before the log was last emptied.
                sum.add(bytes, position..<position + 8)
                sum.add(bytes, position + frameHeader_bytes..<position + frame_bytes)
                isGood = isOfThisLog && sum.isEqual(to: bytes, at: position + 16)
            }
            if !isGood, isOfThisLog, big(bytes, position + 4) != 0 { commitsAfterDamage += 1 }
            position += frame_bytes
        }
        return commitsAfterDamage >= 2
    }

    private static func big(_ bytes: [UInt8], _ position: Int) -> UInt32 { WALChecksum.big(bytes, position) }
}

/// The running checksum of SQLite's log. https://www.sqlite.org/fileformat2.html#checksum_algorithm
private struct WALChecksum {
    let isBigEndian: Bool
    private var first: UInt32 = 0
    private var second: UInt32 = 0

    init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

    /// The length of `range` must be a multiple of eight.
    mutating func add(_ bytes: [UInt8], _ range: Range<Int>) {
        var position = range.lowerBound
        while position < range.upperBound {
            first = first &+ word(bytes, position) &+ second
            second = second &+ word(bytes, position + 4) &+ first
            position += 8
        }
    }

    func isEqual(to bytes: [UInt8], at position: Int) -> Bool {
        first == Self.big(bytes, position) && second == Self.big(bytes, position + 4)
    }

    private func word(_ bytes: [UInt8], _ position: Int) -> UInt32 {
        isBigEndian ? Self.big(bytes, position) : Self.big(bytes, position).byteSwapped
    }

    static func big(_ bytes: [UInt8], _ position: Int) -> UInt32 {
        UInt32(bytes[position]) << 24 | UInt32(bytes[position + 1]) << 16 | UInt32(bytes[position + 2]) << 8
            | UInt32(bytes[position + 3])
    }
}
