import Glibc
import Platform
import TestSupport
import Testing

extension ReplicaTests {
    /// A leader that stands still for longer than its lease, wherever it is, and goes on later as if nothing had
    /// happened.
    @Suite struct ReplicaPauseTests {
        /// The point at which the leader stands still.
        enum Phase: String, CaseIterable, Sendable {
            /// Between readings or in one, by chance.
            case anywhere
            /// In a commit of its turn, which the database undoes afterwards.
            case beforeCommit
            /// In a commit of its turn, which the database makes afterwards. The leader does not know it.
            case afterCommit
            /// It has sent samples, and has no answer yet.
            case inSend
            /// It writes rows into the application's database, and waits for another client there.
            case inDatabaseWrite
        }

        @Test(arguments: Phase.allCases)
        func `a leader that stands still is replaced, and nothing is lost, doubled or wrong when it is back`(
            phase: Phase
        ) throws {
            let trial = try ReplicaTrial("pause-\(phase.rawValue.lowercased())", ReplicatedPostgres())
            let (replicas, time) = (trial.replicas, SystemTime())
            let record = try trial.send { sender in
                let old = try replicas.waitForLeader()
                let release = try halt(old, phase, trial)
                let halted = time.monotonic()
                let new = try replicas.waitForLeader(after: old)
                print("\(phase): another replica led after \(time.monotonic().since(halted))")
                // The new one works, and the old one is back in the middle of that.
                let settled = sender.record.settled
                _ = sender.wait(untilSettled: min(settled + 50, trial.day.posts.count))
                Pause.wait(ReplicaTests.pause)
                try release()
                replicas.resume(old)
                #expect(
                    try eventually {
                        try replicas.expectAlive()
                        return replicas.samples(old)["lkpush_leader"] == 0
                    }, "\(replicas.logs())")
                #expect(replicas.samples(new)["lkpush_leader"] != nil)
            }
            try trial.expectTruth(record)
        }

        /// Halts a replica in a phase. Returns what ends the circumstances of that.
        private func halt(_ leader: Int, _ phase: Phase, _ trial: ReplicaTrial) throws -> () throws -> Void {
            switch phase {
            case .anywhere:
                trial.replicas.pause(leader)
                return {}
            case .inSend:
                let pid = trial.replicas.programs[leader].pid ?? 0
                let isHalted = Monitor(false)
                trial.receivers.receivers[leader].observe { _ in
                    isHalted.change { isHalted in
                        if !isHalted { kill(pid, SIGSTOP) }
                        isHalted = true
                    }
                }
                let isThere: Bool? = isHalted.wait(until: Waits.end) { $0 ? true : nil }
                trial.replicas.notePause(leader)
                #expect(isThere == true, "the leader sends nothing")
                return {}
            case .inDatabaseWrite:
                let lock = try trial.lockApplication()
                try halt(leader, waitingFor: lock, trial)
                return { try lock.release() }
            case .beforeCommit:
                let lock = try trial.lockLog()
                try halt(leader, waitingFor: lock, trial)
                try lock.endWaiters()
                try lock.release()
                return {}
            case .afterCommit:
                let lock = try trial.lockLog()
                try halt(leader, waitingFor: lock, trial)
                try lock.release()
                return {}
            }
        }

        /// Halts a leader that waits for a lock: nobody else writes those tables.
        private func halt(_ leader: Int, waitingFor lock: TableLock, _ trial: ReplicaTrial) throws {
            let isWaiting = try eventually { try lock.hasWaiters() }
            #expect(isWaiting, "nothing is written")
            trial.replicas.pause(leader)
        }
    }
}
