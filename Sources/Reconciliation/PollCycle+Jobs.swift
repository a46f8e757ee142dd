import LiveKit
import Recording
import Wire

/// Egress and ingress.
extension PollCycle {
    // MARK: Egress

    /// Compares the lists of egress.
    mutating func compareEgress() {
        for absent in comparison.absentEgress where !isHot(absent.lastEvent) {
            let difference = Difference.absentEgress(ExactText(absent.key))
            figures.drift[.egress].extra += 1
            let agreement = note(difference)
            if let place = absent.place {
                end(listing.egress[place])
            } else if agreement.polls >= Poll.Limits.agreeing {
                wish(Wish(difference: difference, question: .egress(id: absent.key), place: nil))
            }
        }
        let needed = needed(isMissing: isMissingEgress, ends: 0, of: 0)
        for unknown in comparison.unknownEgress { compareEgress(unknown, needed: needed) }
    }

    private var isMissingEgress: Bool {
        comparison.absentEgress.contains { $0.place == nil && isRecent($0.lastEvent) }
    }

    /// Applies an end that a list has, unless its webhook may be under way.
    private mutating func end(_ listed: ListedEgress) {
        guard listed.egress.status.isFinal, !isHot(listed.changedAt) else { return }
        ends.append(.endEgress(listed.egress, listed.room))
    }

    private mutating func compareEgress(_ unknown: Comparison.UnknownJob, needed: Int) {
        let listed = listing.egress[unknown.place]
        if listed.egress.status.isFinal {
            if unknown.isRemembered || isHot(listed.changedAt) { return }
            figures.drift[.egress].missing += 1
            return end(listed)
        }
        if isHot(listed.startedAt) { return }
        let isOrphaned = !unknown.hasRoom && listed.updatedAt < askedAt - Poll.Limits.orphanedEgress
        if unknown.isRemembered || isOrphaned {
            figures.ghosts[.egress] += 1
            return
        }
        figures.drift[.egress].missing += 1
        let difference = Difference.unknownEgress(ExactText(listed.egress.id))
        guard note(difference).polls >= needed else { return }
        adoptions.append(.adoptEgress(listed.egress, listed.room))
        agreements[difference] = nil
    }

    /// Decides what the answers about single jobs say.
    ///
    /// - Parameter answers: by id; nil for one that LiveKit does not have.
    mutating func settleEgress(_ answers: [String: ListedEgress?]) {
        var missing: [MissingJob] = []
        for wish in asked {
            guard case .egress(let id) = wish.question, let answer = answers[id] else { continue }
            if let answer {
                if answer.egress.status.isFinal { ends.append(.endEgress(answer.egress, answer.room)) }
                agreements[wish.difference] = nil
            } else {
                missing.append(miss(wish.difference))
            }
        }
        drop(missing, isMissing: isMissingEgress, of: comparison.openEgress, isEmpty: listing.egress.isEmpty) {
            .dropEgress(id: $0)
        }
    }

    // MARK: Jobs that LiveKit does not have

    private struct MissingJob {
        let difference: Difference
        /// The consecutive calls that did not find it.
        let misses: Int
    }

    private mutating func miss(_ difference: Difference) -> MissingJob {
        agreements[difference]?.misses += 1
        return MissingJob(difference: difference, misses: agreements[difference]?.misses ?? 1)
    }

    /// Drops jobs that enough calls did not find. An empty list is believed only where no events arrive.
    private mutating func drop(
        _ missing: [MissingJob], isMissing: Bool, of open: Int, isEmpty: Bool,
        _ correction: (String) -> PollResult.Correction
    ) {
        let ready = missing.filter { $0.misses >= Poll.Limits.agreeing }
        let needed = needed(isMissing: isMissing, ends: ready.count, of: open)
        let gone = ready.filter { $0.misses >= needed }
        if gone.isEmpty { return }
        if isEmpty && hasEvents {
            doubts.insert(.empty_list)
            return
        }
        for job in gone {
            ends.append(correction(job.difference.id))
            agreements[job.difference] = nil
        }
    }

    // MARK: Ingress

    /// Compares the lists of ingress.
    mutating func compareIngress() {
        for absent in comparison.absentIngress where !isHot(absent.lastEvent) {
            figures.drift[.ingress].extra += 1
            let difference = Difference.absentIngress(ExactText(absent.key))
            let agreement = note(difference)
            if agreement.polls < Poll.Limits.agreeing { continue }
            if let place = absent.place {
                settle(listing.ingress[place], of: absent.key)
            } else {
                wish(Wish(difference: difference, question: .ingress(id: absent.ingressID), place: nil))
            }
        }
        let needed = needed(isMissing: isMissingIngress, ends: 0, of: 0)
        for unknown in comparison.unknownIngress { compareIngress(unknown, needed: needed) }
    }

    private var isMissingIngress: Bool {
        comparison.absentIngress.contains { $0.place == nil && isRecent($0.lastEvent) }
    }

    /// Decides what LiveKit's form of an ingress says of the run that the state knows by `key`.
    private mutating func settle(_ listed: ListedIngress, of key: String) {
        let isRun = listed.ingress.isRun(key)
        switch listed.activity {
        case .unknown: return
        case .running where isRun: break
        case .ended where isRun:
            if isHot(Timestamp(nanoseconds: listed.ingress.endedAt_ns)) { return }
            ends.append(.endIngress(listed.ingress, listed.room))
        // LiveKit keeps one state for each ingress, so it does not know any more how this run ended.
        case .running, .ended: ends.append(.dropIngress(key: key))
        }
        agreements[.absentIngress(ExactText(key))] = nil
    }

    /// Decides what the answers about single ingresses say.
    ///
    /// - Parameter answers: by the id of the ingress; nil for one that LiveKit does not have.
    mutating func settleIngress(_ answers: [String: ListedIngress?]) {
        var missing: [MissingJob] = []
        for wish in asked {
            guard case .ingress(let id) = wish.question, let answer = answers[id] else { continue }
            if let answer {
                settle(answer, of: wish.difference.id)
            } else {
                missing.append(miss(wish.difference))
            }
        }
        drop(missing, isMissing: isMissingIngress, of: comparison.openIngress, isEmpty: listing.ingress.isEmpty) {
            .dropIngress(key: $0)
        }
    }

    private mutating func compareIngress(_ unknown: Comparison.UnknownJob, needed: Int) {
        let listed = listing.ingress[unknown.place]
        guard listed.activity == .running, !isHot(Timestamp(nanoseconds: listed.ingress.startedAt_ns)) else { return }
        if unknown.isRemembered {
            figures.ghosts[.ingress] += 1
            return
        }
        figures.drift[.ingress].missing += 1
        let difference = Difference.unknownIngress(ExactText(listed.ingress.resourceID + " " + listed.ingress.id))
        guard note(difference).polls >= needed else { return }
        adoptions.append(.adoptIngress(listed.ingress, listed.room))
        agreements[difference] = nil
    }
}

extension Timestamp {
    fileprivate init(nanoseconds: Int64) { self.init(milliseconds: nanoseconds / 1_000_000) }
}

extension ListedEgress {
    fileprivate var updatedAt: Timestamp { Timestamp(nanoseconds: updatedAt_ns) }
    /// The start, or the last change of a job that has not started.
    fileprivate var startedAt: Timestamp {
        egress.startedAt_ns > 0 ? Timestamp(nanoseconds: egress.startedAt_ns) : updatedAt
    }
    /// The end, or the last change of a job that does not tell its end.
    fileprivate var changedAt: Timestamp {
        egress.endedAt_ns > 0 ? Timestamp(nanoseconds: egress.endedAt_ns) : updatedAt
    }
}

extension Ingress {
    /// This is the run that the state knows by `key`.
    fileprivate func isRun(_ key: String) -> Bool { sessionKey.utf8.elementsEqual(key.utf8) }
}
