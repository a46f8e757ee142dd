package import Matching
import Storage
import Wire

/// Where the organization of a room comes from. SPEC 3.1.
package enum OrganizationSource: Sendable {
    /// One for all events, those without a room too. A name that is the id is a makeshift.
    case fixed(id: String, name: String)
    /// The groups `org` and, where the pattern has it, `name` of the room's name.
    case roomName(Pattern)
    /// The organization that the room's metadata names (`Room.metadataOrganization`), remembered by room name.
    case metadata
    /// The database, asked by `Action.lookUp` and answered by `Input.answer`.
    case database
}

/// How the recorder works; the defaults are those of SPEC 9.
package struct RecorderSettings: Sendable {
    package var organizationSource: OrganizationSource
    package var dedupTTL: Duration
    package var seriesTTL: Duration
    package var stateMaxSilence: Duration
    package var organizationCacheTTL: Duration
    package var recordingRetention: Duration
    /// `QUEUE_SIZE`: the most events that wait for organizations.
    package var waitingEvents: Int
    /// `SINGLE_SESSION`: of a person's sessions in an organization only the newest may stay.
    package var isSingleSession: Bool
    /// The first 8 bytes of SHA-256 of a text, big-endian: makes the user id of an identity that is no number.
    package var digest: @Sendable (String) -> UInt64

    package init(
        organizationSource: OrganizationSource, dedupTTL: Duration = .seconds(600),
        seriesTTL: Duration = .seconds(24 * 3_600), stateMaxSilence: Duration = .seconds(48 * 3_600),
        organizationCacheTTL: Duration = .seconds(600), recordingRetention: Duration = .seconds(30 * 86_400),
        waitingEvents: Int = 1_000, isSingleSession: Bool = false, digest: @escaping @Sendable (String) -> UInt64
    ) {
        self.organizationSource = organizationSource
        self.dedupTTL = dedupTTL
        self.seriesTTL = seriesTTL
        self.stateMaxSilence = stateMaxSilence
        self.organizationCacheTTL = organizationCacheTTL
        self.recordingRetention = recordingRetention
        self.waitingEvents = waitingEvents
        self.isSingleSession = isSingleSession
        self.digest = digest
    }
}
