import Recording

extension RecorderSettings {
    /// Usual settings, with a digest that costs nothing.
    static func usual(_ source: OrganizationSource, waitingEvents: Int = 1_000) -> RecorderSettings {
        RecorderSettings(
            organizationSource: source, dedupTTL: .seconds(600), rememberedIDs: 1_000_000,
            seriesTTL: .seconds(24 * 3_600),
            stateMaxSilence: .seconds(48 * 3_600), organizationCacheTTL: .seconds(600),
            recordingRetention: .seconds(30 * 86_400), waitingEvents: waitingEvents, isSingleSession: false,
            digest: { UInt64($0.utf8.count) })
    }
}
