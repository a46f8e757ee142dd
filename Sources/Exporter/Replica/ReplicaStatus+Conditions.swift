import Journal
import Pipeline
import Platform
import Status
import Wire

extension ReplicaStatus {
    /// The findings of the threads `lease` and `append`. The caller adds the values of counters.
    ///
    /// - Parameters:
    ///   - name: the host name of this replica.
    ///   - lease: nil before the thread has started.
    init(_ name: String, _ lease: LeaseCondition?, _ append: AppendCondition, at now: MonotonicTime) {
        self.init()
        self.name = name
        if let lease { take(lease, at: now) }
        isLogUp = append.isUp
        logError = append.error
        logSince = append.since
        spilledEvents = append.spilledEvents
        spilled_bytes = append.spilled_bytes
        spillError = append.spillError
    }

    private mutating func take(_ lease: LeaseCondition, at now: MonotonicTime) {
        reason = lease.bar
        error = lease.error
        contactAge = lease.readAt.map { max(0, now.since($0).inSeconds) }
        isLeader = lease.epoch != nil
        if let record = lease.record {
            lastEvent = Int(record.lastEvent)
            applied = Int(record.applied)
            behind = max(0, lastEvent - applied)
            epoch = Int(record.epoch)
            if !record.hasExpired { (holder, since) = (record.holder, record.since) }
        }
        guard let leading = lease.epoch else { return }
        holder = name
        epoch = Int(leading)
        // The record is that of the leader before until the lease is read again.
        if lease.record?.epoch != leading { since = lease.since }
        since = since ?? lease.since
    }
}

extension ReplicaPlan {
    /// This process as a replica. What counters tell is not in it.
    func status(_ running: RunningParts, at now: MonotonicTime) -> ReplicaStatus {
        ReplicaStatus(lease.holder, running.lease?.condition, appendInbox.condition, at: now)
    }
}
