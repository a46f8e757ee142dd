import Status
import Wire

// A shared journal: who leads it, and how this replica reaches it.

extension TopPicture {
    func replicas(_ replicas: ReplicaStatus, _ now: Timestamp, _ paper: inout Paper) {
        var items: [Paper.Item] = [Self.leader(replicas)]
        if !replicas.holder.isEmpty {
            items.append([.init("epoch \(Figures.count(replicas.epoch))")])
            if let since = replicas.since { items.append([.init("for \(Figures.span(since, now))")]) }
        }
        items.append([.init("event \(Figures.count(replicas.lastEvent))")])
        items.append([.init("\(Figures.count(replicas.behind)) behind")])
        if let age = replicas.contactAge {
            items.append([.init("read \(Figures.time(age)) ago", replicas.error.isEmpty ? .plain : .caution)])
        } else {
            items.append([.init("not read yet")])
        }
        switch replicas.isLogUp {
        case true?: items.append([.init("log up", .good)])
        case false?: items.append([.init("LOG AWAY", .alarm)])
        case nil: break
        }
        if replicas.spilledEvents > 0 {
            let waiting = Figures.count(replicas.spilledEvents, "event waits", "events wait")
            items.append([.init("\(waiting) in STATE_DIR, \(Figures.size(replicas.spilled_bytes))", .caution)])
        }
        if !replicas.spillError.isEmpty { items.append([.init("STATE_DIR KEEPS NO EVENTS", .caution)]) }
        if replicas.spillLost > 0 { items.append([.init("\(Figures.count(replicas.spillLost)) events lost", .alarm)]) }
        section("Replicas", items, &paper)
        if !replicas.reason.isEmpty {
            explanation([.init("may not lead: ", .caution), .init(replicas.reason)], &paper)
        }
        if !replicas.error.isEmpty {
            explanation([.init("the lease cannot be read: ", .caution), .init(replicas.error)], &paper)
        }
        if !replicas.logError.isEmpty {
            let since = replicas.logSince.map { ", for \(Figures.span($0, now))" } ?? ""
            explanation([.init("the log fails: ", .alarm), .init("\(replicas.logError)\(since)")], &paper)
        }
        if !replicas.spillError.isEmpty {
            explanation([.init("STATE_DIR fails: ", .caution), .init(replicas.spillError)], &paper)
        }
        if !replicas.isLeader {
            explanation([.init("Rooms, usage and rows are the leader's: ask that one for them.", .faint)], &paper)
        }
    }

    private static func leader(_ replicas: ReplicaStatus) -> Paper.Item {
        if replicas.isLeader { return [.init("this one leads", .good)] }
        if replicas.hasNoLeader { return [.init("NO LEADER", .alarm)] }
        return replicas.holder.isEmpty
            ? [.init("the leader is not known", .caution)] : [.init("\(replicas.holder) leads", .strong)]
    }

    /// The same in a few words, for a plain line.
    static func summary(_ replicas: ReplicaStatus) -> String {
        let leader =
            replicas.isLeader
            ? "leads"
            : replicas.hasNoLeader
                ? "no leader" : replicas.holder.isEmpty ? "leader not known" : "\(replicas.holder) leads"
        let spilled = replicas.spilledEvents > 0 ? ", \(Figures.count(replicas.spilledEvents)) in STATE_DIR" : ""
        return "\(leader), epoch \(Figures.count(replicas.epoch)), \(Figures.count(replicas.behind)) behind\(spilled)"
    }
}
