package import Wire

/// One set of label values of a family: a time series, or the `n + 3` time series of a histogram.
///
/// A series that ended and came back is another object with the same labels.
package final class Series: Sendable {
    /// The instrument, by its kind.
    package enum AnyInstrument: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
    }

    package let family: FamilyDescriptor
    /// In the order of `family.labelNames`. Any UTF-8; may be empty, which on the wire means absent.
    package let labelValues: [String]
    package let instrument: AnyInstrument

    init(family: FamilyDescriptor, labelValues: [String], instrument: AnyInstrument) {
        self.family = family
        self.labelValues = labelValues
        self.instrument = instrument
    }

    /// When it began: by the clock of its registry, or as whoever made it said; nil where neither told.
    package var created: Timestamp? {
        switch instrument {
        case .counter(let counter): counter.created
        case .gauge(let gauge): gauge.created
        case .histogram(let histogram): histogram.created
        }
    }
}
