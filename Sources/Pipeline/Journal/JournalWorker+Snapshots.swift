import Journal
import Platform
import Recording
import Wire

extension JournalWorker {
    /// Hands a snapshot to the thread that writes it. Everything that the snapshot needs beside it is on disk.
    func save(_ snapshot: RecorderSnapshot, _ header: SnapshotHeader) {
        files?.saver.save(
            header,
            SnapshotBody.complete(
                snapshot.state, rowOrigin: lineage.current, isJournaled: settings.durability == .commit,
                ordinalBase: ordinalBase, lineage: lineage.text))
    }

    /// Takes the result of the snapshot thread.
    func take(_ result: SnapshotResult) {
        metrics.noteSnapshot(isSaved: result.error == nil)
        publish(snapshotError: result.error)
        if let error = result.error {
            let advice = JournalAdvice.unsaved
            log.throttled(.error, advice.what, ["error": .string(error), "action": advice.field])
            if lacksState {
                // Another snapshot is asked for, and tried when the disk has had a pause.
                health = .failing(again: time.monotonic() + JournalSettings.Limits.backoff.maximum, failures: 1)
                askForSnapshot()
            }
            return
        }
        metrics.noteSnapshot(of: result.header.takenAt, size_bytes: result.size_bytes)
        if lacksState {
            log.info("the state is saved to a new journal")
            lacksState = false
            if case .good = health { beGood() }
        }
        guard var files else { return }
        // Counters began at zero in this process, and the next one can go on with them.
        if files.journal.opening.mayHaveLost { commit.coversLoss = true }
        let older = files.note(result.header)
        self.files = files
        if let older {
            var truncation = Truncation(events: older.eventsApplied, inputs: older.inputsApplied)
            truncation.expiredIDs = Recorder.idKinds.map { kind in
                Truncation.Expiry(kind: kind, latest: older.takenAt - restoration.idLifetime(kind))
            }
            self.truncation = truncation
        }
        // The size is a figure for people. An error shows at the next commit.
        if let size = try? files.journal.size_bytes() { metrics.note(size_bytes: size) }
        log.debug(
            "the state is saved",
            ["bytes": .int(result.size_bytes), "took_ms": .milliseconds(result.took)])
    }
}
