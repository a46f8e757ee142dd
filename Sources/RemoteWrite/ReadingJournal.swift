package import Wire

/// What may be done with a reading after the attempt to commit it.
package enum ReadingOutcome: Sendable, Equatable {
    /// Its samples may be sent: it is committed, or the journal rather lets it leave than be silent.
    case maySend
    /// Its samples wait in memory: they may be sent when a later reading may.
    case hold
}

/// Where the shipper writes down what it is about to send, and what `ShippedState` is restored from.
package protocol ReadingJournal: Sendable {
    /// Called on the shipper's thread right after each reading, before anything of it is sent.
    ///
    /// Returns when everything that was applied before the reading is committed, so that what a receiver has seen is known
    /// after a crash. It waits for about a second at most; the journal decides what then becomes of the samples.
    /// Of the arguments, `at` and `labels` take the place of those before; from the set of series `ended` is taken out
    /// first, then `began` is put in: a series may be in both.
    /// At a stop it is called once more, with the markers that the receiver took: where that is not on disk, they are
    /// made again after the next start, which does no harm.
    ///
    /// - Parameters:
    ///   - at: the newest time that samples have from now on: `ShippedState.lastReading`.
    ///   - labels: `CommonLabels.fingerprint`: `ShippedState.labels`.
    ///   - began: series that are sent for the first time since they were restored or began.
    ///   - ended: series of which no stale marker is needed any more: the receiver has it.
    func commit(
        reading at: Timestamp, labels: String, began: [SeriesKey], ended: [SeriesKey]
    ) -> ReadingOutcome
}
