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
        var missing: [(id: String, difference: Difference, misses: Int)] = []
        for wish in asked {
            guard case .egress(let id) = wish.question, let answer = answers[id] else { continue }
            if let answer {
                if answer.egress.status.isFinal { ends.append(.endEgress(answer.egress, answer.room)) }
                agreements[wish.difference] = nil
            } else {
                let misses = (agreements[wish.difference]?.misses ?? 0) + 1
                agreements[wish.difference]?.misses = misses
                if misses >= Poll.Limits.agreeing { missing.append((id, wish.difference, misses)) }
            }
        }
        let needed = needed(isMissing: isMissingEgress, ends: missing.count, of: comparison.openEgress)
        for job in missing where job.misses >= needed && believes(listing.egress.isEmpty) {
            ends.append(.dropEgress(id: job.id))
            agreements[job.difference] = nil
        }
    }

    /// An empty list is believed only where no events arrive.
    private mutating func believes(_ isEmpty: Bool) -> Bool {
        guard isEmpty && hasEvents else { return true }
        doubts.insert(.empty_list)
        return false
    }

    // MARK: Ingress

    /// Compares the lists of ingress.
    mutating func compareIngress() {
        var gone: [(key: String, polls: Int)] = []
        for absent in comparison.absentIngress where !isHot(absent.lastEvent) {
            figures.drift[.ingress].extra += 1
            let polls = note(.absentIngress(ExactText(absent.key))).polls
            guard let listed = absent.place.map({ listing.ingress[$0] }) else {
                gone.append((absent.key, polls))
                continue
            }
            switch listed.activity {
            case .unknown: break
            case .ended where listed.ingress.isRun(absent.key):
                if polls < Poll.Limits.agreeing || isHot(Timestamp(nanoseconds: listed.ingress.endedAt_ns)) { continue }
                ends.append(.endIngress(listed.ingress, listed.room))
                agreements[.absentIngress(ExactText(absent.key))] = nil
            case .running where listed.ingress.isRun(absent.key): break
            case .running, .ended: gone.append((absent.key, polls))
            }
        }
        let needed = needed(
            isMissing: comparison.absentIngress.contains { $0.place == nil && isRecent($0.lastEvent) },
            ends: gone.count { $0.polls >= Poll.Limits.agreeing }, of: comparison.openIngress)
        for job in gone where job.polls >= needed && believes(listing.ingress.isEmpty) {
            ends.append(.dropIngress(key: job.key))
            agreements[.absentIngress(ExactText(job.key))] = nil
        }
        for unknown in comparison.unknownIngress { compareIngress(unknown, needed: needed) }
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
    fileprivate func isRun(_ key: String) -> Bool {
        let own = resourceID.isEmpty ? "\(id) \(startedAt_ns)" : resourceID
        return own.utf8.elementsEqual(key.utf8)
    }
}
