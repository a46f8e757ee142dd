package import Wire

/// One set of label values of a family: one time series, or the `n + 3` time series of a histogram.
///
/// A series that ended and came back is a new object with the same labels.
package final class Series: Sendable {
    /// An instrument of any type.
    package enum AnyInstrument: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
    }

    package let family: FamilyDescriptor
    /// In the order of `family.labelNames`. A value is any UTF-8; an empty value means that the label is absent on the
    /// wire.
    package let labelValues: [String]
    package let instrument: AnyInstrument
    /// The number of the series among those that exist now. A later series may have the number of one that ended.
    package let slot: Int32

    init(family: FamilyDescriptor, labelValues: [String], instrument: AnyInstrument, slot: Int32) {
        self.slot = slot
        self.family = family
        self.labelValues = labelValues
        self.instrument = instrument
    }

    /// The time at which the series began, by the registry's clock or as its maker said; nil if neither gave one.
    package var created: Timestamp? {
        switch instrument {
        case .counter(let counter): counter.created
        case .gauge(let gauge): gauge.created
        case .histogram(let histogram): histogram.created
        }
    }
}
