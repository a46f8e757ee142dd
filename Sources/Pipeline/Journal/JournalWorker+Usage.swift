import Journal
import Platform
import Recording

// The usage: counters that grow while time passes. What was seen of one is on disk, so no restart shows less.

extension JournalWorker {
    /// The inputs that the usage rests on have to be committed now: a reading is near, or the recorder has ended.
    var isUsageDue: Bool { (isUsageWanted || isRecorderDone) && !usage.isEmpty && isTurnOpen }

    /// Shows the usage where the inputs before it are durable. While the journal cannot be written, or is new and has no
    /// state, they are not.
    func publishUsage() {
        guard isUsageDurable else { return }
        if !usage.isEmpty {
            usage.publish()
            usage = UsageReading()
        }
        isUsageWanted = false
        if isRecorderDone { inbox.mail.change { $0.isUsagePublished = true } }
    }

    /// Everything that the usage rests on survives this process, or nothing does. What does not survive an unclean end
    /// begins at zero after it.
    private var isUsageDurable: Bool {
        guard files != nil, settings.durability == .commit else { return true }
        guard case .good = health, !lacksState else { return false }
        return !isTurnOpen
    }
}
