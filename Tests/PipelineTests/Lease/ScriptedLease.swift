import Journal
import Platform
import Synchronization
import Wire

/// A lease in memory that a test can make fail, or give to another replica.
final class ScriptedLease: Sendable {
    struct State: Sendable {
        var record = LeaseRecord()
        /// Every call fails while it is true.
        var isFailing = false
        /// Every new beginning fails while it is true.
        var failsBeginning = false
        /// The log was begun anew so often.
        var beginnings = 0
        /// The next taking or new beginning succeeds, and its caller learns nothing of it.
        var losesAnswer = false
        /// A look waits until the test or an interruption ends that.
        var isHanging = false
        var looks = 0
        var failures = 0
        var renewals = 0
        var takings: [LeaseTaking] = []
        var releases: [Int64] = []
        var isClosed = false
    }

    let state = Monitor(State())
    let interruption = Interruption()

    /// Makes the record that of another replica, which holds the lease.
    func giveToAnother() {
        state.change { state in
            state.record.epoch += 1
            state.record.holder = "another"
            state.record.renewal += 1
            state.record.hasExpired = false
            state.record.isReleased = false
        }
    }

    func end() -> any LogLease { End(self) }

    private final class End: LogLease {
        private let lease: ScriptedLease

        init(_ lease: ScriptedLease) { self.lease = lease }

        private func use<Result: Sendable>(
            _ body: (inout State) -> Result?
        ) throws(JournalError) -> Result {
            let result: Result? = lease.state.change { state in
                if state.isFailing {
                    state.failures += 1
                    return nil
                }
                return body(&state)
            }
            guard let result else { throw JournalError(.other, "told to fail") }
            return result
        }

        func look() throws(JournalError) -> LeaseRecord {
            let pause = Monitor(())
            while lease.state.withLock({ $0.isHanging }) && !lease.interruption.isInterrupted {
                _ = pause.wait(until: SystemTime().monotonic() + .milliseconds(5)) { _ in Never?.none }
            }
            return try use { state in
                state.looks += 1
                return state.record
            }
        }

        func take(
            _ how: LeaseTaking, after epoch: Int64, holder: String, fingerprint: String, lasting: Duration
        ) throws(JournalError) -> Int64? {
            let taken: (epoch: Int64?, isKnown: Bool) = try use { state in
                state.takings.append(how)
                let mayTake =
                    switch how {
                    case .expired: state.record.hasExpired
                    case .stoodStill(let renewal): state.record.renewal == renewal
                    }
                guard state.record.epoch == epoch, mayTake else { return (nil, true) }
                state.record.epoch += 1
                state.record.holder = holder
                state.record.renewal += 1
                state.record.fingerprint = fingerprint
                (state.record.hasExpired, state.record.isReleased) = (false, false)
                defer { state.losesAnswer = false }
                return (state.record.epoch, !state.losesAnswer)
            }
            guard taken.isKnown else { throw JournalError(.other, "told to lose the answer") }
            return taken.epoch
        }

        func renew(_ epoch: Int64, lasting: Duration) throws(JournalError) -> Bool {
            try use { state in
                guard state.record.epoch == epoch else { return false }
                state.renewals += 1
                state.record.renewal += 1
                state.record.hasExpired = false
                return true
            }
        }

        func release(_ epoch: Int64) throws(JournalError) {
            let _: Bool = try use { state in
                guard state.record.epoch == epoch else { return true }
                state.releases.append(epoch)
                (state.record.hasExpired, state.record.isReleased) = (true, true)
                return true
            }
        }

        func note(deathOf event: Int64) throws(JournalError) {}

        func beginAnew(after id: String, as newID: String, aboveEpoch epoch: Int64) throws(JournalError) -> Bool {
            let begun: (isBegun: Bool, isKnown: Bool) = try use { state in
                if state.failsBeginning {
                    state.failures += 1
                    return nil
                }
                guard state.record.id == id else { return (false, true) }
                state.beginnings += 1
                state.record.id = newID
                state.record.epoch = max(state.record.epoch, epoch) + 1
                (state.record.hasExpired, state.record.isReleased) = (true, true)
                defer { state.losesAnswer = false }
                return (true, !state.losesAnswer)
            }
            guard begun.isKnown else { throw JournalError(.other, "told to lose the answer") }
            return begun.isBegun
        }

        func close() { lease.state.change { $0.isClosed = true } }
    }
}
