/// The tags of both messages: field number and wire type in one byte.
/// https://protobuf.dev/programming-guides/encoding/#structure
enum Field {
    private static let varint: UInt8 = 0
    private static let eightBytes: UInt8 = 1
    private static let bytes: UInt8 = 2

    /// `proto/remote_write_v1.proto`
    enum V1 {
        static let requestSeries: UInt8 = 1 << 3 | bytes
        static let requestMetadata: UInt8 = 3 << 3 | bytes
        static let seriesLabels: UInt8 = 1 << 3 | bytes
        static let seriesSamples: UInt8 = 2 << 3 | bytes
        static let labelName: UInt8 = 1 << 3 | bytes
        static let labelValue: UInt8 = 2 << 3 | bytes
        static let metadataType: UInt8 = 1 << 3 | varint
        static let metadataName: UInt8 = 2 << 3 | bytes
        static let metadataHelp: UInt8 = 4 << 3 | bytes
        static let metadataUnit: UInt8 = 5 << 3 | bytes
    }

    /// `proto/remote_write_v2.proto`
    enum V2 {
        static let requestSymbols: UInt8 = 4 << 3 | bytes
        static let requestSeries: UInt8 = 5 << 3 | bytes
        static let seriesLabels: UInt8 = 1 << 3 | bytes
        static let seriesSamples: UInt8 = 2 << 3 | bytes
        static let seriesMetadata: UInt8 = 5 << 3 | bytes
        static let metadataType: UInt8 = 1 << 3 | varint
        static let metadataHelp: UInt8 = 3 << 3 | varint
        static let metadataUnit: UInt8 = 4 << 3 | varint
    }

    /// Value and time of a sample have the same fields in both messages. The start time is of version 2.0.
    enum Sample {
        static let value: UInt8 = 1 << 3 | eightBytes
        static let timestamp: UInt8 = 2 << 3 | varint
        static let start: UInt8 = 3 << 3 | varint
    }
}
