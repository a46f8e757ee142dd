internal import Wire

extension JSONReader {
    /// A point in time in units of a `unitsPerSecond`th of a second since 1970; 0 where absent or before it.
    mutating func readTime(_ bytes: Span<UInt8>, unitsPerSecond: Int64) throws(DecodingFault) -> Int64 {
        let (latest, overflow) = EventDecoder.Limits.time_s_max.multipliedReportingOverflow(by: unitsPerSecond)
        return min(max(try readInteger(bytes) ?? 0, 0), overflow ? .max : latest)
    }

    /// An amount; 0 where absent or negative.
    mutating func readAmount(_ bytes: Span<UInt8>) throws(DecodingFault) -> Int64 {
        max(try readInteger(bytes) ?? 0, 0)
    }

    /// A text; empty where absent.
    mutating func readString(_ bytes: Span<UInt8>) throws(DecodingFault) -> String {
        try readText(bytes) ?? ""
    }
}
