/// The version of a track (`TimedVersion`). Of two states of one track, the later one has the higher version.
///
/// https://github.com/livekit/protocol/blob/main/protobufs/livekit_models.proto
package struct TrackVersion: Sendable, Equatable, Comparable {
    /// The time of the last change, in Unix microseconds.
    package let unixMicro: Int64
    /// A counter that orders changes within one microsecond.
    package let ticks: Int32

    package init(unixMicro: Int64, ticks: Int32 = 0) {
        self.unixMicro = unixMicro
        self.ticks = ticks
    }

    package static func < (a: TrackVersion, b: TrackVersion) -> Bool {
        (a.unixMicro, a.ticks) < (b.unixMicro, b.ticks)
    }

    // MARK: In 64 bits

    /// The version as one number: 52 bits of microseconds, which last until the year 2112, and 12 bits of ticks. Values
    /// outside are clamped to the range. 0 means no version.
    package var packed: UInt64 {
        let micro = UInt64(max(0, min(unixMicro, 1 << 52 - 1)))
        return micro << 12 | UInt64(max(0, min(ticks, 1 << 12 - 1)))
    }

    /// Makes the version that `packed` encodes; nil for 0.
    package init?(packed: UInt64) {
        if packed == 0 { return nil }
        self.init(unixMicro: Int64(packed >> 12), ticks: Int32(packed & (1 << 12 - 1)))
    }
}
