package import Wire

/// One set of label values of a family: a time series, or the `n + 3` time series of a histogram.
///
/// A series that ended and came back is another object with the same labels.
package final class Series: Sendable {
    /// The instrument, by its kind.
    package enum Reading: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
    }

    package let family: FamilyDescriptor
    /// In the order of `family.labelNames`. Any UTF-8; may be empty, which on the wire means absent.
    package let labelValues: [String]
    package let reading: Reading
    /// When it was made, by the clock of its registry; nil where that has none.
    package let created: Timestamp?

    init(family: FamilyDescriptor, labelValues: [String], reading: Reading, created: Timestamp?) {
        self.family = family
        self.labelValues = labelValues
        self.reading = reading
        self.created = created
    }
}
