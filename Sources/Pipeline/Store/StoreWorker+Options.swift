import Platform
import Storage
import Synchronization
import Wire

// Tables that lkpush can do without: who is told whether they can be used.

extension StoreWorker {
    /// Looks whether the role has been given or has lost a right since the last look.
    func lookAtOptions(of store: ApplicationStore, at now: Timestamp) throws(StoreError) {
        try store.lookAtOptions(at: now)
        tellOptions(of: store, isNew: false)
    }

    /// Tells the recorder, the metrics and the log which optional tables can be used: all of them about a new
    /// connection, and what changed about one that is known.
    func tellOptions(of store: ApplicationStore, isNew: Bool) {
        for table in OptionalTable.allCases {
            let isUsable = store.usable.contains(table)
            let was = toldOptions.updateValue(isUsable, forKey: table)
            if table == .usage && (isNew || was != isUsable) { answer(.report(.usageTable(isUsable: isUsable))) }
            if was == isUsable { continue }
            metrics.note(table, isWithheld: !isUsable)
            inbox.published.withLock { condition in
                condition.withheldTables.removeAll { $0 == table.name }
                if !isUsable { condition.withheldTables.append(table.name) }
            }
            if let error = store.withheld(table) {
                log.throttled(.warning, by: table.name, StoreThread.warning(withheld: table), ["error": .text(error)])
            } else if was == false {
                log.info("a table that was withheld can be used now", ["table": .string(table.name)])
            }
        }
    }
}
