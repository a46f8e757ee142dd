import Journal
import Platform
import Storage
import Wire

// The rows for the database that are not in memory.

extension JournalWorker {
    /// Reads rows from disk where few are left in memory.
    func loadRows() {
        guard isStartDurable, backlog.unloaded > 0, store.rowsInMemory < RowBacklog.Limits.lowWater else { return }
        if backlog.hasRowsToRead, let journal = files?.journal, journal.isOpen {
            var rows: [NumberedRow] = []
            var last: Int64?
            do throws(JournalError) {
                let limit = RowBacklog.Limits.portion
                let found = try journal.rows(after: backlog.loadedUpTo, limit: limit)
                for row in found.elements where row.sequence <= backlog.readUpTo {
                    last = row.sequence
                    if let row = decode(row) { rows.append(row) }
                }
                if found.damaged > 0 { noteDamagedRows() }
                let isAll = found.elements.count < limit || found.elements.last?.sequence != last
                backlog.loaded(upTo: last, isAll: isAll)
            } catch {
                log.throttled(.error, "rows cannot be read from the journal", ["error": .text(error)])
            }
            if !rows.isEmpty { passToStore(rows) }
        }
        let pending = backlog.takePending(limit: RowBacklog.Limits.portion)
        if !pending.isEmpty { passToStore(pending) }
    }

    /// Passes committed rows to the store, and says how many are left on disk.
    func passToStore(_ rows: [NumberedRow]) {
        let onDisk = backlog.unloaded
        inbox.mail.withLock { $0.rowsOnDisk = onDisk }
        toldStore?.onDisk = onDisk
        store.store(Committed(rows, by: receipt), onDisk: onDisk)
    }

    private func decode(_ row: OutboxRow) -> NumberedRow? {
        do throws(MessageFault) {
            return try NumberedRow(row)
        } catch {
            noteDamagedRows()
            return nil
        }
    }

    private func noteDamagedRows() {
        metrics.noteDamage()
        log.throttled(.error, "rows in the journal are damaged: they cannot be written to the database")
    }

    /// Gives up the oldest rows on disk where the journal has grown beyond `JOURNAL_MAX_BYTES`.
    func keepBelowLimit() {
        guard let journal = files?.journal, journal.isOpen else { return }
        do throws(JournalError) {
            while try journal.size_bytes() > settings.maxBytes.bytes {
                let first = backlog.loadedUpTo
                let dropped = try journal.dropOldestRows(RowBacklog.Limits.portion)
                if dropped == 0 { return }
                store.noteGivenUp(dropped)
                log.throttled(
                    .error, "rows for the database given up: JOURNAL_MAX_BYTES is reached", ["rows": .int(dropped)])
                let next = try journal.rows(after: first, limit: 1)
                backlog.loaded(upTo: next.elements.first.map { $0.sequence - 1 }, isAll: next.elements.isEmpty)
            }
        } catch {
            log.throttled(.error, "the journal's size cannot be kept", ["error": .text(error)])
        }
    }
}

// The form of a row in the journal's outbox.

extension OutboxRow {
    /// The field of the position. It lies behind the fields of the row, whose readers skip it.
    fileprivate static let positionField = 15

    init(_ row: NumberedRow) {
        var writer = MessageWriter()
        row.row.encode(into: &writer)
        if let position = row.position {
            writer.message(Self.positionField) { writer in
                writer.field(1, position.input)
                writer.field(2, position.index)
            }
        }
        self.init(sequence: row.number, bytes: writer.bytes)
    }
}

extension NumberedRow {
    init(_ row: OutboxRow) throws(MessageFault) {
        var reader = MessageReader(row.bytes)
        var position: RowPosition?
        while let field = try reader.next() {
            guard field == OutboxRow.positionField else {
                try reader.skip()
                continue
            }
            position = try RowPosition(from: reader.message())
        }
        reader = MessageReader(row.bytes)
        self.init(number: row.sequence, row: try StoreRow(from: &reader), position: position)
    }
}

extension RowPosition {
    fileprivate init(from message: consuming MessageReader) throws(MessageFault) {
        self.init(input: 0, index: 0)
        var reader = message
        while let field = try reader.next() {
            switch field {
            case 1: input = try reader.int64()
            case 2: index = try reader.int64()
            default: try reader.skip()
            }
        }
    }
}
