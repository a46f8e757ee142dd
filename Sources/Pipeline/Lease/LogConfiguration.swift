/// The configurations that led a shared log, as the text that its lease keeps (`LeaseRecord.fingerprint`): a line for each,
/// the current one first.
///
/// Two configurations that lead in turns would end each other's series and begin the totals anew. So another one leads
/// only after the leader before handed over in order, and the one before does not come back by itself.
package enum LogConfiguration {
    enum Limits {
        /// The former configurations that are remembered.
        static let former = 16
    }

    /// The line of a configuration.
    ///
    /// - Parameters:
    ///   - rules: the number of the newest rules that the recorder knows.
    ///   - settings: a digest of the settings that what is counted depends on.
    package static func line(rules: Int, settings: String) -> String { "\(rules) \(settings)" }

    /// Returns the reason why a replica with this configuration may not lead; nil where it may.
    package static func bar(_ own: String, _ kept: String, isReleased: Bool) -> String? {
        let lines = kept.split(separator: "\n")
        guard let current = lines.first, current != own else { return nil }
        if rules(of: current) > rules(of: own) {
            return "a newer lkpush led the log, and this one does not know its rules: update this replica"
        }
        if lines.dropFirst().contains(where: { $0 == own }) {
            return """
                replicas with other settings took over from those of this one: give all replicas the same settings; \
                lkpush migrate-journal --adopt makes these the right ones
                """
        }
        if !isReleased {
            return """
                its settings differ from those of the last leader, which did not stop in order: give all replicas the same \
                settings; lkpush migrate-journal --adopt makes these the right ones
                """
        }
        return nil
    }

    /// The text to keep when a replica with this configuration leads.
    package static func kept(_ own: String, after kept: String) -> String {
        let others = kept.split(separator: "\n").map { String($0) }.filter { $0 != own }
        return ([own] + others.prefix(Limits.former)).joined(separator: "\n")
    }

    private static func rules(of line: some StringProtocol) -> Int { Int(line.prefix { $0 != " " }) ?? 0 }
}
