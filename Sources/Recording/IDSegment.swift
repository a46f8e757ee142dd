package import Wire

/// Ids of one kind that were remembered one after the other: what a snapshot adds to those saved before.
package struct IDSegment: Sendable, Equatable {
    /// Which ids: 0 of events, then of ended rooms, participants, tracks, egress and ingress.
    package let kind: Int
    /// The newest time at which one of them was remembered.
    package let latest: Timestamp
    /// The number of the last of them, counted for each kind: `Recorder.oldestIDs` tells which are still needed.
    package let last: UInt64
    /// All of it, as `Recorder.init(restoring:)` takes it.
    package let bytes: [UInt8]

    /// Takes a segment as it was saved.
    package init(kind: Int, latest: Timestamp, last: UInt64, bytes: [UInt8]) {
        self.kind = kind
        self.latest = latest
        self.last = last
        self.bytes = bytes
    }

}
