import LiveKit
import Pipeline
import Recording

extension Settings {
    /// The configuration of a replica: a line that is the same for all that may lead the log in turns.
    ///
    /// It has the settings that give series their labels, and those that decide what is counted for whom: with others, a
    /// replay could come to lower totals than the leader before had pushed.
    ///
    /// - Parameter instance: the label `instance` of what is counted.
    func logConfiguration(instance: String) -> String {
        let values = [
            project, regionLabel, "\(longBuckets)", organizationSource.rawValue, organizationID, organizationPattern,
            organizationMetadataKey, organizationLookupSQL, job, instance, environment, region, service,
            "\(dedupTTL)", "\(rememberedIDsMax)", "\(seriesTTL)", "\(stateMaxSilence)", "\(organizationCacheTTL)",
            "\(recordingRetention)", "\(queueSize)", "\(singleSession)",
        ]
        let labels = externalLabels.map { "\($0.name)=\($0.value)" }
        let text = (values + labels).joined(separator: "\u{0}")
        let digest = Digest(of: Array(text.utf8).span).prefix
        return LogConfiguration.line(rules: Recorder.rules, settings: String(digest, radix: 16))
    }
}
