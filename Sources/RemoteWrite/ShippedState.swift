package import Wire

/// What an earlier process sent, as far as the next one has to know.
package struct ShippedState: Sendable, Equatable {
    /// The time of the newest samples; nil where nothing was ever sent. Nothing is sent at or before it, so that no series
    /// goes back; `ClockGuard` says when it is not believed.
    package var lastReading: Timestamp?
    /// `CommonLabels.fingerprint` of the labels that the series had. Where they are others now, all series are others: the
    /// old ones end by themselves, after the five minutes that Prometheus looks back.
    package var labels: String
    /// The series that the receiver holds as alive: those of them that the registry does not hold any more get a stale
    /// marker with the first reading. In no order; each once.
    package var series: [SeriesKey]

    package init(lastReading: Timestamp? = nil, labels: String = "", series: [SeriesKey] = []) {
        self.lastReading = lastReading
        self.labels = labels
        self.series = series
    }
}
