internal import Wire

extension JSONReader {
    /// Reads a point in time, counted in `unitsPerSecond` units per second since 1970; 0 if it is absent or before
    /// 1970.
    mutating func readTime(_ bytes: Span<UInt8>, unitsPerSecond: Int64) throws(DecodingFault) -> Int64 {
        let (latest, overflow) = EventDecoder.Limits.time_s_max.multipliedReportingOverflow(by: unitsPerSecond)
        return min(max(try readInteger(bytes) ?? 0, 0), overflow ? .max : latest)
    }

    /// Reads an amount; 0 if it is absent or negative.
    mutating func readAmount(_ bytes: Span<UInt8>) throws(DecodingFault) -> Int64 {
        max(try readInteger(bytes) ?? 0, 0)
    }

    /// Reads a text; empty if it is absent.
    mutating func readString(_ bytes: Span<UInt8>) throws(DecodingFault) -> String {
        try readText(bytes) ?? ""
    }
}
