/// A way in which LiveKit's server API is known to say what is not so. The raw value is its name for `--lie`.
package enum APILie: String, Sendable, CaseIterable {
    /// A room that ended stays in the list, with the participants who left it last, until another room of its name
    /// starts. The participants who vanished in a crash stay until the room is back.
    /// https://github.com/livekit/livekit/issues/3766
    case ghostRooms = "ghost-rooms"
    /// Lists are empty for some minutes, now and then. https://github.com/livekit/livekit/issues/3197
    case emptyList = "empty-list"
    /// `num_participants` keeps an older value after half of the changes, until a later change.
    case staleCount = "stale-count"
    /// Who was in the room before under the same identity is missing among the participants, but is counted.
    /// https://github.com/livekit/livekit/issues/2399
    case missingRejoined = "missing-rejoined"
    /// Half of the egress jobs that were active when they ended stay active. https://github.com/livekit/egress/issues/1717
    case orphanedEgress = "orphaned-egress"
    /// A tenth of the reads see the state of some seconds ago. https://github.com/livekit/livekit/pull/4373
    case staleReads = "stale-reads"
    /// A list ends early, and names a next page that is empty, or that names itself as the next one.
    case cutList = "cut-list"
}
