package import Wire

/// The state that an earlier process left about what it sent to one destination.
package struct ShippedState: Sendable, Equatable {
    /// The time of the newest samples of any destination. Nil if nothing was ever sent. Nothing is sent at or before it,
    /// so that no series goes back. `ClockGuard` decides when it is not trusted.
    package var lastReading: Timestamp?
    /// `CommonLabels.fingerprint` of the labels that the series had. If they have changed, all series are new ones. The
    /// old ones go stale by themselves, after the five minutes that Prometheus looks back.
    package var labels: String
    /// The series that are alive at this receiver, each once, in no order. Those that the registry does not hold any
    /// more get a stale marker with the first reading.
    package var series: [SeriesKey]

    package init(lastReading: Timestamp? = nil, labels: String = "", series: [SeriesKey] = []) {
        self.lastReading = lastReading
        self.labels = labels
        self.series = series
    }
}
