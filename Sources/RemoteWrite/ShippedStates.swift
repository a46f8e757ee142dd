package import Wire

/// The state that an earlier process left about what it sent, for each destination.
package struct ShippedStates: Sendable, Equatable {
    /// The time of the newest samples of any destination. Nil if nothing was ever sent.
    package let lastReading: Timestamp?
    /// The labels that all series had, as `CommonLabels.fingerprint`.
    package let labels: String
    private var series: [String: [SeriesKey]] = [:]

    /// - Parameter series: each once, in any order.
    package init(lastReading: Timestamp? = nil, labels: String = "", series: [ShippedSeries] = []) {
        self.lastReading = lastReading
        self.labels = labels
        for one in series { self.series[one.destination, default: []].append(one.key) }
    }

    /// The state of a destination. One that was never sent anything has no series, but the same last reading.
    package subscript(destination: String) -> ShippedState {
        ShippedState(lastReading: lastReading, labels: labels, series: series[destination] ?? [])
    }
}
