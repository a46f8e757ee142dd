import Journal
import RemoteWrite
import Wire

/// The readings of all destinations that wait for the next commit, in the order in which they came.
///
/// A destination has one of them, or several where the journal was slow: its thread waits for each reading only for so
/// long, and a reading that nobody waits for any more is committed all the same.
struct WaitingReadings {
    private var readings: [ShipperReading] = []
    /// The time of the newest reading of each destination that this process has seen.
    ///
    /// A destination may be behind the others, so the last reading is the newest of all. It goes back when a clock that
    /// was ahead is set back, because then each destination goes back.
    private var newest: [String: Timestamp] = [:]

    var isEmpty: Bool { readings.isEmpty }

    mutating func append(_ new: [ShipperReading]) {
        for reading in new { newest[reading.destination] = reading.at }
        readings += new
    }

    /// Replaces what `commit` says about readings.
    func fill(_ commit: inout Commit) {
        commit.readingSent = readings.isEmpty ? nil : newest.values.max()
        commit.pushedLabels = readings.last?.labels
        let hasSeveralOfOne = Set(readings.map(\.destination)).count < readings.count
        if hasSeveralOfOne {
            (commit.seriesBegan, commit.seriesEnded) = folded()
        } else {
            commit.seriesBegan = readings.flatMap(\.began)
            commit.seriesEnded = readings.flatMap(\.ended)
        }
    }

    /// The series that began and ended in all readings together. One that began in a reading and ended in a later one
    /// has ended.
    private func folded() -> (began: [[UInt8]], ended: [[UInt8]]) {
        var began: Set<[UInt8]> = []
        var ended: Set<[UInt8]> = []
        for reading in readings {
            began.subtract(reading.ended)
            ended.formUnion(reading.ended)
            began.formUnion(reading.began)
        }
        return (Array(began), Array(ended))
    }

    /// Tells the destinations the outcome. The readings stay until they are removed.
    func settle(_ outcome: ReadingOutcome) { for reading in readings { reading.settle(outcome) } }

    mutating func removeAll() { readings.removeAll(keepingCapacity: true) }
}
