import Metrics
import Wire

/// The saved form of a series: its position in the table of the version that wrote it, and its value.
struct SavedSeries: Sendable {
    enum Value: Sendable {
        case counter(Double)
        case gauge(Double)
        case histogram(Histogram.State)
    }

    var position = 0
    var created: Timestamp?
    var held = Value.gauge(0)

    var column: InstrumentLayout.Column {
        switch held {
        case .counter: .counters
        case .gauge: .gauges
        case .histogram: .histograms
        }
    }

    /// More than any counter or bucket can have counted. With larger numbers sums could overflow.
    private static let most: UInt64 = 1 << 53

    init(_ message: consuming MessageReader, in column: InstrumentLayout.Column) throws(MessageFault) {
        var reader = message
        var value = 0.0
        var counts: [UInt64] = []
        while let field = try reader.next() {
            switch field {
            case 1: position = try reader.index()
            case 2: created = Timestamp(milliseconds: try reader.int64())
            case 3: value = try reader.double()
            case 4:
                counts.append(try reader.uint64())
                if counts[counts.count - 1] > Self.most { throw MessageFault("a bucket is too full") }
            default: try reader.skip()
            }
        }
        switch column {
        case .counters:
            guard value >= 0 else { throw MessageFault("a counter is negative") }
            held = .counter(value)
        case .gauges: held = .gauge(value)
        case .histograms: held = .histogram(.init(counts: counts, sum: value))
        }
    }
}

extension InstrumentTable {
    /// Writes every series that the table has made.
    func encode(into writer: inout MessageWriter) {
        for (position, counter) in counters.enumerated() {
            guard let counter else { continue }
            let message = writer.begin(1)
            writer.series(position, counter.created, counter.value)
            writer.end(message)
        }
        for (position, gauge) in gauges.enumerated() {
            guard let gauge else { continue }
            let message = writer.begin(2)
            writer.series(position, gauge.created, gauge.value)
            writer.end(message)
        }
        for (position, histogram) in histograms.enumerated() {
            guard let histogram else { continue }
            let state = histogram.current
            let message = writer.begin(3)
            writer.series(position, histogram.created, state.sum)
            for count in state.counts { writer.element(4, unsigned: count) }
            writer.end(message)
        }
    }

    /// Restores the saved series that this version has.
    ///
    /// - Parameters:
    ///   - keepsTotals: restores counters and histograms, too, except those about lkpush itself, which begin at 0.
    mutating func restore(
        from message: consuming MessageReader, _ positions: SavedPositions, isProcess: Bool, keepsTotals: Bool
    ) throws(MessageFault) {
        var reader = message
        while let field = try reader.next() {
            let column: InstrumentLayout.Column
            switch field {
            case 1: column = .counters
            case 2: column = .gauges
            case 3: column = .histograms
            default:
                try reader.skip()
                continue
            }
            var saved = try SavedSeries(reader.message(), in: column)
            guard let (metric, offset) = try positions.find(saved.position, in: column, isProcess: isProcess) else {
                continue
            }
            if case .gauge = saved.held {
                metric.resume(saved, offset: offset, in: &self)
                continue
            }
            if metric.isOwn {
                // The series takes its place as before, so that a full registry is as full as before.
                saved.created = nil
                saved.held = .counter(0)
            } else if !keepsTotals {
                continue
            }
            if case .histogram(let state) = saved.held, state.counts.count != metric.buckets.count + 1 { continue }
            metric.resume(saved, offset: offset, in: &self)
        }
    }
}

extension MessageWriter {
    /// Writes a sparse series, which has no position.
    mutating func sparse(_ instrument: any SparseInstrument) {
        switch instrument.saved {
        case .counter(let value), .gauge(let value): series(0, instrument.created, value)
        case .histogram(let state):
            series(0, instrument.created, state.sum)
            for count in state.counts { element(4, unsigned: count) }
        }
    }

    fileprivate mutating func series(_ position: Int, _ created: Timestamp?, _ value: Double) {
        field(1, UInt64(position))
        if let created { element(2, created.milliseconds) }
        field(3, value)
    }
}
