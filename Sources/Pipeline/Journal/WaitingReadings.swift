import Journal
import RemoteWrite
import Wire

/// The readings of all destinations that wait for the next commit, in the order in which they came.
///
/// A destination has one of them, or several where the journal was slow: its thread waits for each reading only for so
/// long, and a reading that nobody waits for any more is committed all the same.
struct WaitingReadings {
    enum Limits {
        /// The series of readings that left before they could be written: those of a first reading of 100,000 series.
        static let unwritten_bytes = 16 << 20
    }

    private var readings: [ShipperReading] = []
    /// The changes of readings that left although they were not written. They are earlier than `readings`.
    private var unwritten = Changes()
    private var unwritten_bytes = 0
    private var labels: String?
    /// The time of the newest reading of each destination that this process has seen.
    ///
    /// A destination may be behind the others, so the last reading is the newest of all. It goes back when a clock that
    /// was ahead is set back, because then each destination goes back.
    private var newest: [String: Timestamp] = [:]

    /// The changes of readings to the series that receivers hold. A series is in both if it ended and began again.
    private struct Changes {
        var began: Set<[UInt8]> = []
        var ended: Set<[UInt8]> = []

        var isEmpty: Bool { began.isEmpty && ended.isEmpty }

        /// Adds a later reading. A series that began before and ends now has ended.
        mutating func add(_ reading: ShipperReading) {
            began.subtract(reading.ended)
            ended.formUnion(reading.ended)
            began.formUnion(reading.began)
        }
    }

    /// Nothing has to be written.
    var isEmpty: Bool { readings.isEmpty && unwritten.isEmpty }

    mutating func append(_ new: [ShipperReading]) {
        for reading in new { newest[reading.destination] = reading.at }
        labels = new.last?.labels ?? labels
        readings += new
    }

    /// Replaces what `commit` says about readings.
    func fill(_ commit: inout Commit) {
        commit.readingSent = isEmpty ? nil : newest.values.max()
        commit.pushedLabels = isEmpty ? nil : labels
        // Series of different destinations are different ones, so the order of their readings does not matter.
        let isInAnyOrder = unwritten.isEmpty && Set(readings.map(\.destination)).count == readings.count
        if isInAnyOrder {
            commit.seriesBegan = readings.flatMap(\.began)
            commit.seriesEnded = readings.flatMap(\.ended)
        } else {
            let all = readings.reduce(into: unwritten) { $0.add($1) }
            commit.seriesBegan = Array(all.began)
            commit.seriesEnded = Array(all.ended)
        }
    }

    /// Tells the destinations the outcome. The readings stay until they are removed.
    func settle(_ outcome: ReadingOutcome) { for reading in readings { reading.settle(outcome) } }

    /// Lets the readings leave although they could not be written. Their series are written when that is possible.
    /// If these become too many, they are forgotten, and end by themselves after a restart.
    mutating func release() {
        settle(.maySend)
        for reading in readings {
            unwritten.add(reading)
            unwritten_bytes += (reading.began + reading.ended).reduce(0) { $0 + $1.count }
        }
        readings.removeAll(keepingCapacity: true)
        if unwritten_bytes > Limits.unwritten_bytes { forgetUnwritten() }
    }

    mutating func removeAll() {
        readings.removeAll(keepingCapacity: true)
        forgetUnwritten()
    }

    private mutating func forgetUnwritten() {
        unwritten = Changes()
        unwritten_bytes = 0
    }
}
