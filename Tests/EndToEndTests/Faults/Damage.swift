import TestSupport

/// A kind of damage to the files of a program that was killed.
enum Damage: String, CaseIterable, Sendable {
    /// The damage destroys nothing that was acknowledged.
    case tornTail, tornTemporary, newestSnapshotFlipped, newestSnapshotCut, newestSnapshotGone
    /// Committed transactions at the end are gone, as if they had never existed. Nobody can notice.
    case logCut, logFlipped
    /// The damage must be noticed.
    case logFlippedBeforeItsEnd, journalFlipped, journalCut, journalEmptied, journalNoise, allSnapshotsFlipped

    /// The state that must be there after the damage.
    enum Remainder {
        /// Everything is there.
        case everything
        /// Everything is there, or the state before some of the last events.
        case prefix
        /// Everything is there, or counters start at 0.
        case everythingOrCountersAtZero
    }

    var remainder: Remainder {
        switch self {
        case .tornTail, .tornTemporary, .newestSnapshotFlipped, .newestSnapshotCut, .newestSnapshotGone: .everything
        case .logCut, .logFlipped: .prefix
        case .logFlippedBeforeItsEnd, .journalFlipped, .journalCut, .journalEmptied, .journalNoise,
            .allSnapshotsFlipped:
            .everythingOrCountersAtZero
        }
    }

    /// Damages the files while nobody uses them.
    func strike(_ state: StateFolder, using random: inout SeededGenerator) throws {
        func noise(_ count: Int) -> [UInt8] {
            var local = random
            defer { random = local }
            return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &local) }
        }
        let newest = state.snapshots.last
        switch self {
        case .tornTail: try StateFolder.append(noise(Int.random(in: 1...9_000, using: &random)), to: state.log)
        case .tornTemporary:
            for name in ["/snapshot.999999.new", "/snapshot.new", "/instance.new", "/journal.db-journal.new"] {
                try FileWriting.write(noise(500), to: state.path + name)
            }
        case .newestSnapshotFlipped:
            if let newest { try StateFolder.flip(Int.random(in: 1...8, using: &random), in: newest, using: &random) }
        case .newestSnapshotCut:
            if let newest {
                try StateFolder.cut(newest, to: Int.random(in: 0..<StateFolder.size(of: newest), using: &random))
            }
        case .newestSnapshotGone: if let newest { FileWriting.remove(newest) }
        case .logCut:
            try StateFolder.cut(state.log, to: Int.random(in: 0...StateFolder.size(of: state.log), using: &random))
        case .logFlipped:
            try StateFolder.flip(Int.random(in: 1...16, using: &random), in: state.log, using: &random)
        case .logFlippedBeforeItsEnd:
            // A transaction that follows proves that the broken one existed.
            guard let range = try LogLayout(state.log).beforeLastCommit else { return }
            try StateFolder.flip(1, in: state.log, within: range, using: &random)
        case .journalFlipped:
            try StateFolder.flip(Int.random(in: 1...64, using: &random), in: state.journal, using: &random)
        case .journalCut:
            let size = StateFolder.size(of: state.journal)
            try StateFolder.cut(state.journal, to: Int.random(in: 1...size, using: &random))
        case .journalEmptied: try StateFolder.cut(state.journal, to: 0)
        case .journalNoise:
            try FileWriting.write(noise(StateFolder.size(of: state.journal)), to: state.journal)
        case .allSnapshotsFlipped:
            for snapshot in state.snapshots { try StateFolder.flip(8, in: snapshot, using: &random) }
        }
    }
}
