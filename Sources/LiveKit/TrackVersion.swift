/// `TimedVersion`: orders what LiveKit says of one track.
package struct TrackVersion: Sendable, Hashable, Comparable {
    package var unixMicro: Int64
    package var ticks: Int32

    package init(unixMicro: Int64, ticks: Int32) {
        self.unixMicro = unixMicro
        self.ticks = ticks
    }

    package static func < (left: TrackVersion, right: TrackVersion) -> Bool {
        (left.unixMicro, left.ticks) < (right.unixMicro, right.ticks)
    }
}
