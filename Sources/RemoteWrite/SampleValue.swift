/// The bits of a sample's value.
package enum SampleValue {
    /// Says that a series ended. https://prometheus.io/docs/specs/prw/remote_write_spec/#stale-markers
    package static let stale: UInt64 = 0x7FF0_0000_0000_0002
    /// The one form of "not a number" that is data.
    package static let notANumber: UInt64 = 0x7FF8_0000_0000_0001

    /// What goes on the wire for a value that a program set: never a stale marker.
    package static func bits(_ value: Double) -> UInt64 { value.isNaN ? notANumber : value.bitPattern }
}
