package import Metrics
package import Wire

/// A series as a spool knows it: everything that a request needs of it, so that a later process can send its samples.
///
/// It is the same for either message. A histogram is one series with a row for each of its buckets, its sum and its
/// count.
package struct SpooledSeries: Sendable, Equatable {
    /// The rows that it has in the spool. They follow one another, and no other series of this spool has them.
    package let firstRow: UInt32
    /// The declaration of its family, with its `le` bounds if it is a histogram.
    package let family: String
    package let help: String
    package let kind: FamilyDescriptor.Kind
    /// Its own labels, in the order of their declaration. A value may be empty.
    package let labelNames: [String]
    package let labelValues: [String]
    /// The labels that all series of the process had, such as `job`. Names are unique, and no value is empty.
    package let commonNames: [String]
    package let commonValues: [String]
    /// The time from which it counts. Nil for a gauge.
    package let start: Timestamp?

    package init(
        firstRow: UInt32, family: String, help: String, kind: FamilyDescriptor.Kind, labelNames: [String],
        labelValues: [String], commonNames: [String], commonValues: [String], start: Timestamp?
    ) {
        self.firstRow = firstRow
        self.family = family
        self.help = help
        self.kind = kind
        self.labelNames = labelNames
        self.labelValues = labelValues
        self.commonNames = commonNames
        self.commonValues = commonValues
        self.start = start
    }

    /// The number of its rows.
    package var rowCount: Int {
        if case .histogram(let bounds) = kind { return bounds.count + 3 }
        return 1
    }
}
