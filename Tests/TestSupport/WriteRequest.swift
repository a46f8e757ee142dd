/// A body of remote write, decoded by code that shares nothing with the encoder. Both messages look the same here.
///
/// It takes any bytes, and is strict: whatever the schema in `proto` does not name is a fault, and so is a field that
/// comes twice. What a sender should not send although it can be read is for `WriteLog`.
package struct WriteRequest: Sendable, Equatable {
    /// The version of the message.
    package enum Version: String, Sendable, CaseIterable {
        case v1 = "1.0"
        case v2 = "2.0"

        /// The version that a value of `Content-Type` names.
        package init(contentType: String?) {
            self = contentType?.contains("proto=io.prometheus.write.v2.Request") == true ? .v2 : .v1
        }
    }

    package struct Sample: Sendable, Equatable {
        package let bits: UInt64
        package let milliseconds: Int64
        /// The start timestamp; 0 if there is none, as always in 1.0.
        package let start_ms: Int64

        package init(bits: UInt64, milliseconds: Int64, start_ms: Int64 = 0) {
            self.bits = bits
            self.milliseconds = milliseconds
            self.start_ms = start_ms
        }

        package var value: Double { Double(bitPattern: bits) }
        package var isStale: Bool { bits == 0x7FF0_0000_0000_0002 }
    }

    /// The type of a metric. The raw values are those of both messages.
    package enum MetricType: UInt64, Sendable, CaseIterable {
        case unspecified, counter, gauge, histogram, gaugeHistogram, summary, info, stateSet
    }

    package struct Metadata: Sendable, Equatable {
        package var type = MetricType.unspecified
        package var help = ""
        package var unit = ""

        package init(type: MetricType = .unspecified, help: String = "", unit: String = "") {
            self.type = type
            self.help = help
            self.unit = unit
        }
    }

    package struct TimeSeries: Sendable, Equatable {
        package var names: [String] = []
        package var values: [String] = []
        package var samples: [Sample] = []
        /// Nil in 1.0, and in 2.0 if the series has none.
        package var metadata: Metadata?
        /// The number of native histograms and of exemplars. Their content is not decoded.
        package var histograms = 0
        package var exemplars = 0

        package var name: String { value(of: "__name__") ?? "" }

        package func value(of label: String) -> String? {
            zip(names, values).first { $0.0 == label }?.1
        }

        /// The series as `name{a="1",b="2"}`, in the order of the message.
        package var text: String {
            let rest = zip(names, values).filter { $0.0 != "__name__" }.map { "\($0.0)=\"\($0.1)\"" }
            return rest.isEmpty ? name : "\(name){\(rest.joined(separator: ","))}"
        }
    }

    /// The metadata of a family, which 1.0 sends beside the series.
    package struct FamilyMetadata: Sendable, Equatable {
        package var family = ""
        package var metadata = Metadata()
    }

    /// The body is not valid.
    package struct RequestFault: Error, Equatable, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    package let version: Version
    package var series: [TimeSeries] = []
    /// The metadata of 1.0.
    package var families: [FamilyMetadata] = []
    /// The symbols of 2.0, in the order of the message.
    package var symbols: [String] = []
    /// The number of symbols that nothing refers to, without the first one.
    package var unusedSymbols = 0

    init(_ version: Version) { self.version = version }

    /// Decompresses and decodes a body.
    package init(compressed body: [UInt8], _ version: Version = .v1) throws(RequestFault) {
        try self.init(raw: SnappyBlock.decode(body), version)
    }

    /// Decodes a body that is not compressed.
    package init(raw: [UInt8], _ version: Version = .v1) throws(RequestFault) {
        switch version {
        case .v1: self = try Self.decodeV1(raw[...])
        case .v2: self = try Self.decodeV2(raw[...])
        }
    }

    package var sampleCount: Int { series.reduce(0) { $0 + $1.samples.count } }
    package var histogramCount: Int { series.reduce(0) { $0 + $1.histograms } }
    package var exemplarCount: Int { series.reduce(0) { $0 + $1.exemplars } }

    /// The series with this name.
    package func series(named name: String) -> [TimeSeries] { series.filter { $0.name == name } }
}
