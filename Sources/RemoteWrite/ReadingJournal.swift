package import Wire

/// The outcome of the attempt to commit a reading.
package enum ReadingOutcome: Sendable, Equatable {
    /// Its samples may be sent: the reading is committed, or the journal lets it leave because silence would be worse.
    case maySend
    /// Its samples wait in memory until a later reading may be sent.
    case withhold
}

/// The journal of readings: each destination writes down what it is about to send. `ShippedStates` are restored from it.
package protocol ReadingJournal: Sendable {
    /// Commits a reading of one destination. It is called on that destination's thread right after each reading, before
    /// any of it is sent. Several destinations may wait at the same time. None waits for another: all that wait at a
    /// moment share one commit.
    ///
    /// It returns when everything that was applied before the reading is committed. So a restart knows what a receiver
    /// has seen. It waits for about a second at most; then the journal decides about the samples.
    ///
    /// `at` replaces the time that this destination had before. `labels` are those of all destinations; where they are
    /// not those before, everything that was committed under the old ones is forgotten, for every destination. `ended`
    /// is removed from the destination's series first, then `began` is added: a series may be in both.
    ///
    /// At a stop it is called once more, with the stale markers that the receiver accepted. If that is not on disk, the
    /// next process makes them again, which does no harm.
    ///
    /// - Parameters:
    ///   - at: the newest time that samples have from now on. The newest of all destinations is restored as
    ///     `ShippedState.lastReading`.
    ///   - destination: the name of the destination.
    ///   - labels: `CommonLabels.fingerprint`: `ShippedState.labels`.
    ///   - began: series that are sent for the first time since they began or were restored.
    ///   - ended: series that need no stale marker any more, because the receiver has it.
    func commit(
        reading at: Timestamp, destination: String, labels: String, began: [SeriesKey], ended: [SeriesKey]
    ) -> ReadingOutcome
}
