package import Matching
import Storage
import Wire

/// The source of a room's organization. Specification, *Organization of a room*.
package enum OrganizationSource: Sendable {
    /// One organization for all events, even those without a room. A name that equals the id does not count as a name.
    case fixed(id: String, name: String)
    /// The groups `org` and, if the pattern has it, `name` of the room's name.
    case roomName(Pattern)
    /// The organization in the room's metadata (`Room.metadataOrganization`), remembered by room name.
    case metadata
    /// The database: `Action.lookUp` asks it, and `Input.answer` brings the answer.
    case database
}

/// The settings of the recorder. Their defaults are in `Settings`.
package struct RecorderSettings: Sendable {
    package var organizationSource: OrganizationSource
    package var dedupTTL: Duration
    /// `REMEMBERED_IDS_MAX`: the most remembered event ids, and ended SIDs and job ids of each kind, at most
    /// `Limits.mostRemembered`. Each event id takes 24 bytes; ended rooms, participants and ingress take 28 bytes, tracks
    /// 36. A LiveKit of 50,000 participants ends about a million tracks in six hours.
    package var rememberedIDs: Int
    package var seriesTTL: Duration
    package var stateMaxSilence: Duration
    package var organizationCacheTTL: Duration
    package var recordingRetention: Duration
    /// `QUEUE_SIZE`: the most events that wait for organizations.
    package var waitingEvents: Int
    /// `SINGLE_SESSION`: of a person's sessions in an organization only the newest may stay.
    package var isSingleSession: Bool
    /// Returns the first 8 bytes of the SHA-256 of a text, big-endian. It makes the user id of an identity that is not
    /// a number.
    package var digest: @Sendable (String) -> UInt64

    package init(
        organizationSource: OrganizationSource, dedupTTL: Duration, rememberedIDs: Int, seriesTTL: Duration,
        stateMaxSilence: Duration, organizationCacheTTL: Duration, recordingRetention: Duration, waitingEvents: Int,
        isSingleSession: Bool,
        digest: @escaping @Sendable (String) -> UInt64
    ) {
        self.organizationSource = organizationSource
        self.dedupTTL = dedupTTL
        self.rememberedIDs = rememberedIDs
        self.seriesTTL = seriesTTL
        self.stateMaxSilence = stateMaxSilence
        self.organizationCacheTTL = organizationCacheTTL
        self.recordingRetention = recordingRetention
        self.waitingEvents = waitingEvents
        self.isSingleSession = isSingleSession
        self.digest = digest
    }
}
