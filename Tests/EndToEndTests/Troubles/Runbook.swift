import Platform
import TestSupport
import Testing

/// The runbook, as somebody reads it who was called by an alert.
enum Runbook {
    /// The words that the first step of each alert must hold: the setting, command or place that shows the cause.
    private static let firstSteps: [String: [String]] = [
        "LkpushCredentialsRefused": ["lkpush check"],
        "LkpushReceiverAddressWrong": ["the setting is a wrong address"],
        "LkpushReceiverThrottles": ["samples could not be sent", "answer"],
        "LkpushReceiverFails": ["look at the receiver"],
        "LkpushReceiverDoesNotAnswer": ["lkpush check"],
        "LkpushNotPushing": ["/readyz", "lkpush check"],
        "LkpushDatabaseAway": ["lkpush check"],
        "LkpushJournalNotWritable": ["/readyz"],
        "LkpushStateDiskNearlyFull": ["du -a"],
        "LkpushWebhooksRefused": ["LIVEKIT_API_SECRET", "LIVEKIT_KEYS_FILE"],
        "LkpushWebhookPathWrong": ["a signed webhook came"],
        "LkpushClockSkew": ["timedatectl", "chronyc tracking"],
        "OrgLookupFailures": ["has no organization"],
        "LkpushDeadLetters": ["the database refused rows"],
        "LkpushRestartLoop": ["exit status", "137"],
        "HighDuplicateRate": ["commit_late"],
    ]

    /// Expects that the alert leads to a section of the runbook, and that both begin with the right step.
    static func expectFirstStep(
        of alert: PrometheusServer.Alert, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let words = try #require(firstSteps[alert.name], "\(alert.name)", sourceLocation: sourceLocation)
        let said = alert.annotations["description"]?.split(separator: "First: ").last ?? ""
        let link = alert.annotations["runbook_url"]?.split(separator: "#").map(String.init) ?? []
        try #require(link.count == 2, "\(alert.name): \(link)", sourceLocation: sourceLocation)
        let step = try #require(
            try firstStep(in: link[0], anchor: link[1]), "\(link) has no first step",
            sourceLocation: sourceLocation)
        for word in words {
            #expect(
                said.lowercased().contains(word.lowercased()), "\(alert.name) does not begin with \(word): \(said)",
                sourceLocation: sourceLocation)
            #expect(
                step.lowercased().contains(word.lowercased()), "\(link[1]) does not begin with \(word): \(step)",
                sourceLocation: sourceLocation)
        }
    }

    /// The first step of a section, in one line and without marks of code. Nil if there is no such section or step.
    private static func firstStep(in path: String, anchor: String) throws -> String? {
        let text = String(decoding: try FileStore.read("\(Repository.root)/\(path)", limit: 1 << 20), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let headings = lines.indices.filter { lines[$0].hasPrefix("#") }
        guard let heading = headings.first(where: { lines[$0].drop { "# ".contains($0) }.lowercased() == anchor })
        else {
            return nil
        }
        let end = headings.first { $0 > heading } ?? lines.endIndex
        let section = lines[(heading + 1)..<end].map { $0.drop { $0 == " " }.replacing("`", with: "") }
        guard let first = section.firstIndex(where: { $0.hasPrefix("1. ") }) else { return nil }
        return section[first...].prefix { !$0.hasPrefix("2. ") && !$0.hasPrefix("**Over:**") }.joined(separator: " ")
    }
}
