package import Wire

/// The outcome of the attempt to commit a reading.
package enum ReadingOutcome: Sendable, Equatable {
    /// Its samples may be sent: the reading is committed, or the journal lets it leave because silence would be worse.
    case maySend
    /// Its samples wait in memory until a later reading may be sent.
    case withhold
}

/// The journal of readings: the shipper writes down what it is about to send. `ShippedState` is restored from it.
package protocol ReadingJournal: Sendable {
    /// Commits a reading. It is called on the shipper's thread right after each reading, before any of it is sent.
    ///
    /// It returns when everything that was applied before the reading is committed. So a restart knows what a receiver
    /// has seen. It waits for about a second at most; then the journal decides about the samples.
    ///
    /// `at` and `labels` replace the values before. `ended` is removed from the set of series first, then `began` is
    /// added: a series may be in both.
    ///
    /// At a stop it is called once more, with the stale markers that the receiver accepted. If that is not on disk, the
    /// next process makes them again, which does no harm.
    ///
    /// - Parameters:
    ///   - at: the newest time that samples have from now on: `ShippedState.lastReading`.
    ///   - labels: `CommonLabels.fingerprint`: `ShippedState.labels`.
    ///   - began: series that are sent for the first time since they began or were restored.
    ///   - ended: series that need no stale marker any more, because the receiver has it.
    func commit(
        reading at: Timestamp, labels: String, began: [SeriesKey], ended: [SeriesKey]
    ) -> ReadingOutcome
}
