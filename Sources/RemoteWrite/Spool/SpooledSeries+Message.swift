import Metrics
package import Wire

// The stored form of series and requests; `proto/spool.proto` describes it.

extension SpooledSeries {
    package enum Limits {
        /// The bytes of one stored series. Names and values of labels are far shorter.
        package static let bytes = 1 << 20
        /// The bounds of a histogram, so that damaged bytes do not stand for millions of rows.
        package static let bounds = 1_000
        /// The labels of a series, own and common ones each.
        package static let labels = 256
    }

    /// Appends the message `Series`.
    package func encode(into writer: inout MessageWriter) {
        writer.field(1, UInt64(firstRow))
        writer.message(2) { writer in
            writer.field(1, family)
            writer.field(2, help)
            switch kind {
            case .counter: writer.field(3, 1 as UInt64)
            case .gauge: writer.field(3, 2 as UInt64)
            case .histogram(let bounds):
                writer.field(3, 3 as UInt64)
                for bound in bounds { writer.element(4, fraction: bound) }
            }
            for name in labelNames { writer.element(5, name) }
        }
        for value in labelValues { writer.element(3, value) }
        writer.message(4) { writer in
            for name in commonNames { writer.element(1, name) }
            for value in commonValues { writer.element(2, value) }
        }
        if let start { writer.element(5, start.milliseconds) }
    }

    /// Reads one message `Series`. Any bytes give a value that a declaration allows, or an error.
    package init(decoding bytes: [UInt8]) throws(MessageFault) {
        var decoder = SpooledSeriesDecoder()
        self = try decoder.decode(bytes)
    }
}

/// Reads stored series. Those of one family share its names in memory, and all share the common labels.
///
/// Any bytes give a series that a declaration allows, or an error: the name rules of Prometheus, ascending bounds, as
/// many values as names, no reserved name, and rows that a number has room for.
package struct SpooledSeriesDecoder {
    private enum Limits {
        /// Families and sets of common labels that are remembered. A program has fewer; damaged bytes may pretend more.
        static let remembered = 1_024
    }

    private struct Family {
        var name = ""
        var help = ""
        var kind = FamilyDescriptor.Kind.gauge
        var labelNames: [String] = []
    }

    private struct Common {
        var names: [String] = []
        var values: [String] = []
    }

    private var families: [[UInt8]: Family] = [:]
    private var commons: [[UInt8]: Common] = [:]

    package init() {}

    /// Reads one message `Series`.
    package mutating func decode(_ bytes: [UInt8]) throws(MessageFault) -> SpooledSeries {
        guard bytes.count <= SpooledSeries.Limits.bytes else { throw MessageFault("a series is too long") }
        var reader = MessageReader(bytes)
        var firstRow: UInt32 = 0
        var family = Family()
        var values: [String] = []
        var common = Common()
        var start: Timestamp?
        while let field = try reader.next() {
            switch field {
            case 1:
                guard let row = UInt32(exactly: try reader.uint64()) else { throw MessageFault("a row is impossible") }
                firstRow = row
            case 2: family = try readFamily(try reader.byteArray())
            case 3:
                guard values.count < SpooledSeries.Limits.labels else { throw Self.tooMany }
                values.append(try reader.string())
            case 4: common = try readCommon(try reader.byteArray())
            case 5: start = Timestamp(milliseconds: try reader.int64())
            default: try reader.skip()
            }
        }
        guard !family.name.isEmpty else { throw MessageFault("a series has no family") }
        guard values.count == family.labelNames.count else { throw MessageFault("a label has no value, or no name") }
        let series = SpooledSeries(
            firstRow: firstRow, family: family.name, help: family.help, kind: family.kind,
            labelNames: family.labelNames, labelValues: values, commonNames: common.names,
            commonValues: common.values, start: start)
        guard Int64(firstRow) + Int64(series.rowCount) <= Int64(UInt32.max) else {
            throw MessageFault("a series ends beyond the last row")
        }
        return series
    }

    private mutating func readFamily(_ bytes: [UInt8]) throws(MessageFault) -> Family {
        if let known = families[bytes] { return known }
        var reader = MessageReader(bytes)
        var family = Family()
        var type: UInt64 = 0
        var bounds: [Double] = []
        while let field = try reader.next() {
            switch field {
            case 1: family.name = try reader.string()
            case 2: family.help = try reader.string()
            case 3: type = try reader.uint64()
            case 4:
                guard bounds.count < SpooledSeries.Limits.bounds else { throw MessageFault("too many bounds") }
                bounds.append(try reader.double())
            case 5:
                guard family.labelNames.count < SpooledSeries.Limits.labels else { throw Self.tooMany }
                family.labelNames.append(try reader.string())
            default: try reader.skip()
            }
        }
        switch type {
        case 1: family.kind = .counter
        case 2: family.kind = .gauge
        case 3: family.kind = .histogram(bounds: bounds)
        default: throw MessageFault("a family has no known type")
        }
        if let fault = FamilyDescriptor.fault(
            name: family.name, help: family.help, kind: family.kind, labelNames: family.labelNames)
        {
            throw MessageFault(fault)
        }
        if families.count < Limits.remembered { families[bytes] = family }
        return family
    }

    private mutating func readCommon(_ bytes: [UInt8]) throws(MessageFault) -> Common {
        if let known = commons[bytes] { return known }
        var reader = MessageReader(bytes)
        var common = Common()
        while let field = try reader.next() {
            switch field {
            case 1:
                guard common.names.count < SpooledSeries.Limits.labels else { throw Self.tooMany }
                common.names.append(try reader.string())
            case 2:
                guard common.values.count < SpooledSeries.Limits.labels else { throw Self.tooMany }
                common.values.append(try reader.string())
            default: try reader.skip()
            }
        }
        guard common.names.count == common.values.count, Set(common.names).count == common.names.count,
            !common.values.contains("")
        else {
            throw MessageFault("a common label has no value, or is there twice")
        }
        for name in common.names {
            do throws(CommonLabels.LabelFault) {
                try CommonLabels.check(name)
            } catch {
                throw MessageFault(error.description)
            }
        }
        if commons.count < Limits.remembered { commons[bytes] = common }
        return common
    }

    private static let tooMany = MessageFault("too many labels")
}

extension SpooledRequests {
    package enum Limits {
        /// The most shards that a spool may say it has. The setting allows fewer.
        package static let shards = 10_000
    }

    /// Appends the message `Requests`.
    package func encode(into writer: inout MessageWriter) {
        writer.field(1, UInt64(shards))
        switch message {
        case .v1: writer.field(2, 1 as UInt64)
        case .v2: writer.field(2, 2 as UInt64)
        case nil: break
        }
        writer.field(3, endpoint)
    }

    /// Reads one message `Requests`. Any bytes give a value or an error.
    package init(decoding bytes: [UInt8]) throws(MessageFault) {
        var reader = MessageReader(bytes)
        self.init(shards: 0, message: nil, endpoint: "")
        while let field = try reader.next() {
            switch field {
            case 1:
                let number = try reader.uint64()
                guard number <= UInt64(Limits.shards) else { throw MessageFault("a number of shards is impossible") }
                shards = Int(number)
            case 2:
                switch try reader.uint64() {
                case 1: message = .v1
                case 2: message = .v2
                // A later message is not known here, so it is found out again.
                default: message = nil
                }
            case 3: endpoint = try reader.string()
            default: try reader.skip()
            }
        }
    }
}
