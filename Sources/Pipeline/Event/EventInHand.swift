package import Platform

/// The number of the event that is being applied, in a file that outlives the process. So the next process learns of
/// which event this one died.
///
/// `begin` comes first, on one thread. Then the thread that applies events takes each event in hand and puts it down,
/// which costs two stores in memory. Nobody else may do so at the same time.
package final class EventInHand: Sendable {
    /// The name of the file in `STATE_DIR`.
    package static let fileName = "event-in-hand"

    /// The places of the words in the file. The name of the log has 32 characters, eight in each word.
    private enum Place {
        static let magic = 0
        static let event = 1
        static let log = 2
        static let end = 6
    }

    /// `lkpushEH`, most significant first: a file with another word was not written by this program.
    private static let magic: Int64 = 0x6C6B_7075_7368_4548

    private let words: LastingWords

    /// Opens the file at `path`, or makes it. The process must be the only one that uses it.
    package init(path: String) throws(SystemError) { words = try LastingWords(path: path) }

    /// Returns the event of this journal or log that the process before had in hand when it died; nil where it had
    /// none. From now on nothing is in hand.
    ///
    /// - Parameter log: the id of the journal or log that numbers the events.
    package func begin(_ log: String) -> Int64? {
        let name = Self.words(of: log)
        let isSame =
            words.load(Place.magic) == Self.magic && name.indices.allSatisfy { words.load(Place.log + $0) == name[$0] }
        let event = isSame ? words.load(Place.event) : 0
        use(log)
        return event > 0 ? event : nil
    }

    /// The events from now on are numbered by another journal, because the old one is gone.
    package func use(_ log: String) {
        putDown()
        for (index, word) in Self.words(of: log).enumerated() { words.store(word, at: Place.log + index) }
        words.store(Self.magic, at: Place.magic)
    }

    /// Notes that the event with this number is about to be applied.
    func take(_ number: Int64) { words.store(number, at: Place.event) }

    /// Notes that no event is being applied.
    func putDown() { words.store(0, at: Place.event) }

    private static func words(of log: String) -> [Int64] { LastingWords.words(of: log, count: Place.end - Place.log) }
}
