/// The bits of sample values that have a special meaning.
package enum SampleValue {
    /// The stale marker, which ends a series. https://prometheus.io/docs/specs/prw/remote_write_spec/#stale-markers
    package static let stale: UInt64 = 0x7FF0_0000_0000_0002
    /// The one bit pattern of NaN that is data.
    package static let notANumber: UInt64 = 0x7FF8_0000_0000_0001

    /// The bits for a value that a program set. They are never a stale marker.
    package static func bits(_ value: Double) -> UInt64 { value.isNaN ? notANumber : value.bitPattern }
}
