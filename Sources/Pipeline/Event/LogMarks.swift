package import Journal
package import Platform
import Wire

/// The highest numbers of a shared log that this machine saw, in a file that outlives the process.
///
/// A log that has lower ones later has lost its end with its database: an asynchronous standby was promoted, or a
/// backup restored. Any thread may note numbers; each call costs some stores in memory.
package final class LogMarks: Sendable {
    /// The name of the file in `STATE_DIR`.
    package static let fileName = "log-marks"

    /// The result of a comparison.
    package enum Verdict: Sendable, Equatable {
        /// The log is the one that was seen, and has all that was seen.
        case same
        /// Nothing was seen of this log.
        case new
        /// The log lacks something that was seen. The highest epoch that was seen.
        case lost(epoch: Int64)
    }

    private enum Place {
        static let magic = 0
        static let epoch = 1
        static let lastEvent = 2
        static let applied = 3
        static let lastInput = 4
        static let log = 5
        static let end = 9
    }

    /// `lkpushLM`, most significant first.
    private static let magic: Int64 = 0x6C6B_7075_7368_4C4D

    private let words: LastingWords

    /// Opens the file at `path`, or makes it. The process must be the only one that uses it.
    package init(path: String) throws(SystemError) { words = try LastingWords(path: path) }

    /// The numbers at one time.
    package struct Seen: Sendable, Equatable {
        fileprivate var log: [Int64]
        fileprivate var epoch: Int64
        fileprivate var lastEvent: Int64
        fileprivate var applied: Int64
        fileprivate var lastInput: Int64
    }

    /// The numbers as they are now; nil before a log was seen.
    package var seen: Seen? {
        guard words.load(Place.magic) == Self.magic else { return nil }
        return Seen(
            log: (Place.log..<Place.end).map { words.load($0) }, epoch: words.load(Place.epoch),
            lastEvent: words.load(Place.lastEvent), applied: words.load(Place.applied),
            lastInput: words.load(Place.lastInput))
    }

    /// Compares a log with what was seen of it.
    ///
    /// - Parameters:
    ///   - record: the log, as it was read after `seen` was taken. Numbers may rise between the two, and never fall.
    ///   - seen: what was seen before the log was read.
    package static func verdict(on record: LeaseRecord, after seen: Seen?) -> Verdict {
        guard let seen, seen.log == words(of: record.id) else { return .new }
        let isWhole =
            record.epoch >= seen.epoch && record.lastEvent >= seen.lastEvent && record.applied >= seen.applied
            && record.lastInput >= seen.lastInput
        return isWhole ? .same : .lost(epoch: seen.epoch)
    }

    /// Notes what was read of a log that has lost nothing.
    ///
    /// Commits of its leader are not noted here; the leader notes those that were confirmed. A commit whose wait for the
    /// standby was cancelled is seen by everybody and unknown to the leader, which takes it back: that is no loss.
    package func note(_ record: LeaseRecord) {
        if !isOf(record.id) { begin(record.id) }
        raise(Place.epoch, to: record.epoch)
        raise(Place.lastEvent, to: record.lastEvent)
    }

    /// Notes that this replica appended events up to this number to the log that was read last.
    func note(lastEvent: Int64) { raise(Place.lastEvent, to: lastEvent) }

    /// Notes what this replica committed as the leader of a log.
    func note(_ numbers: JournalNumbers) {
        guard isOf(numbers.id) else { return }
        raise(Place.applied, to: numbers.lastEvent)
        raise(Place.lastInput, to: numbers.lastInput)
    }

    private func raise(_ place: Int, to number: Int64) {
        if number > words.load(place) { words.store(number, at: place) }
    }

    private func begin(_ log: String) {
        // A process that dies in between leaves a file that says nothing.
        words.store(0, at: Place.magic)
        for place in Place.epoch..<Place.log { words.store(0, at: place) }
        for (index, word) in Self.words(of: log).enumerated() { words.store(word, at: Place.log + index) }
        words.store(Self.magic, at: Place.magic)
    }

    private func isOf(_ log: String) -> Bool {
        let name = Self.words(of: log)
        return words.load(Place.magic) == Self.magic
            && name.indices.allSatisfy { words.load(Place.log + $0) == name[$0] }
    }

    private static func words(of log: String) -> [Int64] { LastingWords.words(of: log, count: Place.end - Place.log) }
}
