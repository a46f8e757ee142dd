/// The place on this machine for groups of events while the shared log cannot be reached. First in, first out.
///
/// It belongs to the thread that opened it. After an error it is closed; the next call opens it again.
package protocol EventSpill: AnyObject {
    /// The events that wait, and the bytes that they take. They are of the last call, also after an error.
    var events: Int { get }
    var size_bytes: Int { get }

    /// Keeps groups behind those that wait. They are on disk when it returns; after an error none of them is.
    func add(_ groups: [ProducedGroup]) throws(JournalError)

    /// Returns the oldest groups, at least one if any waits, and more while all have at most `limit_bytes`.
    func oldest(limit_bytes: Int) throws(JournalError) -> SpilledGroups

    /// Deletes the groups up to this place, because the log has them.
    func remove(upTo place: Int64) throws(JournalError)

    /// Gives the groups up to this place another producer. Their numbers are their places from then on.
    func rename(upTo place: Int64, producer: String) throws(JournalError)

    /// Writes something, to find out whether groups would be kept.
    func probe() throws(JournalError)

    /// Returns what was done about damaged and removed files since the last call.
    func takeRepairs() -> [SpillRepair]

    func close()
}

/// Groups that were read from a spill.
package struct SpilledGroups: Sendable, Equatable {
    package var groups: [ProducedGroup] = []
    /// The place of the last of them.
    package var last: Int64 = 0
    /// The events of groups that cannot be read. They are deleted with the others.
    package var damagedEvents = 0

    package init() {}
}

/// The repair of a spill: another file took the place of one that was damaged or removed.
package struct SpillRepair: Sendable, Equatable {
    /// The trouble with the former file, as the end of a sentence: `its log is damaged`.
    package var cause: String
    /// The path of what was moved aside.
    package var movedAside: String?
    /// The events that were taken over from the former file.
    package var keptEvents: Int
    /// The events that are gone, as far as is known: at least one where not everything could be read.
    package var lostEvents: Int
    /// Everything was taken over. Where it is false, more than `lostEvents` may be gone, or nothing.
    package var isComplete: Bool

    package init(
        _ cause: String, movedAside: String? = nil, keptEvents: Int = 0, lostEvents: Int = 0, isComplete: Bool
    ) {
        self.cause = cause
        self.movedAside = movedAside
        self.keptEvents = keptEvents
        self.lostEvents = isComplete ? lostEvents : max(1, lostEvents)
        self.isComplete = isComplete
    }
}

/// Opens the spill, or makes it. The thread that calls it owns the spill from then on.
package typealias OpenSpill = @Sendable () throws(JournalError) -> any EventSpill
