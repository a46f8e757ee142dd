import Journal
import Platform
import SQLite
import Wire

/// Opens the journal of a folder in any case: there is no file, a good one, a damaged one, or one of a newer program.
struct JournalOpener {
    private let directory: String
    private let now: Timestamp
    private let files: SalvageFiles
    private(set) var opening = Opening()

    /// The result of examining a file.
    private enum Verdict {
        case good(OpenFile)
        /// The file has no tables: it was made, and nothing was ever written to it.
        case empty
        /// The file has this format of a newer program.
        case newer(Int)
        /// The file cannot be used, for this reason. `isLoss` says that something is known to be missing.
        case damaged(String, isLoss: Bool = false)
        /// The file is a journal, but not the one that was open.
        case foreign
    }

    init(directory: String, now: Timestamp) {
        self.directory = directory
        self.now = now
        files = SalvageFiles(directory: directory, name: JournalFile.name)
    }

    private var path: String { files.path }

    /// - Parameters:
    ///   - expecting: the numbers when the journal was last open; nil at the first time.
    ///   - wasDamaged: damage was met while it was open, so a check that finds none is not believed.
    mutating func open(expecting: JournalNumbers?, wasDamaged: Bool = false) throws(JournalError) -> OpenFile {
        do throws(SystemError) {
            try FileStore.makeDirectory(directory)
            try files.finish()
        } catch {
            throw JournalError(error)
        }
        guard Folder.exists(path) else { return try openNew() }
        switch try examine(expecting) {
        case .good(let opened) where wasDamaged:
            opened.connection.close()
            opening.notes.append("The journal is damaged: damage was met while it was used.")
            return try openRecovered(hasLost: false)
        case .good(let opened):
            tell(opened.numbers, expecting)
            return opened
        case .empty: return try openNew()
        case .newer(let format):
            try moveAside("newer")
            opening.mayHaveLost = true
            opening.notes.append(
                "The journal has format \(format) of a newer program; this one knows \(JournalSchema.format). It was moved "
                    + "aside, and a new one was made.")
            return try openNew()
        case .foreign:
            try moveAside("damaged")
            opening.mayHaveLost = true
            opening.notes.append(
                "Another journal was found in place of the one that was open. It was moved aside, and a new one was made."
            )
            return try openNew()
        case .damaged(let reason, let isLoss):
            opening.notes.append("The journal is damaged: \(reason).")
            return try openRecovered(hasLost: isLoss)
        }
    }

    // MARK: Examining

    private mutating func examine(_ expecting: JournalNumbers?) throws(JournalError) -> Verdict {
        let log = WriteAheadLog(path: path + "-wal")
        do throws(SQLiteError) {
            let connection = try connect(path, mayCreate: false)
            let verdict = try examine(connection, expecting)
            if case .good = verdict {
                if log.isDamaged {
                    connection.close()
                    if let name = files.keep(log.evidence, at: now) { opening.movedAside.append(name) }
                    return .damaged("its log is damaged, and commits after that place are lost", isLoss: true)
                }
            } else {
                connection.close()
            }
            return verdict
        } catch {
            if error.condition == .damaged { return .damaged(error.text) }
            throw JournalError(error, in: directory)
        }
    }

    private func examine(_ connection: Connection, _ expecting: JournalNumbers?) throws(SQLiteError) -> Verdict {
        if try connection.number("SELECT COUNT(*) FROM sqlite_schema") == 0 { return .empty }
        guard try connection.number("PRAGMA application_id") == Int64(JournalSchema.applicationID) else {
            return .damaged("it is not a journal, or its header is damaged")
        }
        let format = Int(try connection.number("PRAGMA user_version") ?? 0)
        guard let named = try connection.meta().values[.format], named == String(format), format > 0 else {
            return .damaged("its format number is damaged")
        }
        if format > JournalSchema.format { return .newer(format) }
        try JournalSchema.migrate(connection, from: format)
        if Folder.size_bytes(path) <= JournalFile.Limits.checked_bytes {
            var finding = "ok"
            try connection.rows("PRAGMA quick_check(1)") { finding = $0.text(at: 0) }
            if finding != "ok" { return .damaged(finding) }
        }
        guard let numbers = try JournalNumbers(of: connection) else {
            return .damaged("a value or the end of the journal has a wrong checksum")
        }
        if let expecting {
            if numbers.id != expecting.id { return .foreign }
            for table in EntryKind.allCases {
                if numbers[last: table] < expecting[last: table] {
                    return .damaged("commits are missing", isLoss: true)
                }
                // The commit was reported as failed, because its fsync failed. The device has it all the same.
                try table.removeExcess(after: expecting[last: table], in: connection)
            }
        }
        guard let numbers = try JournalNumbers(of: connection), let opened = OpenFile(connection, numbers: numbers)
        else {
            return .damaged("it was removed while it was opened")
        }
        return .good(opened)
    }

    /// Reports what an earlier opening found and nobody has dealt with yet.
    private mutating func tell(_ numbers: JournalNumbers, _ expecting: JournalNumbers?) {
        opening.mayHaveLost = numbers.hasLost
        opening.formerID = numbers.hasLost ? numbers.formerID : nil
        let isKnown = expecting?.id == numbers.id
        opening.isNew = numbers.hasLost || !isKnown && numbers.isPristine
        if numbers.hasLost {
            opening.notes.append("Something of the journal was lost, and no snapshot was made since.")
        }
    }

    // MARK: Making

    private mutating func openNew() throws(JournalError) -> OpenFile {
        let log = try JournalError.ofSystem { () throws(SystemError) in try files.moveAsideLog(at: now) }
        if let log {
            opening.mayHaveLost = true
            opening.movedAside.append(log)
            opening.notes.append("The journal's log was found without its file; it was moved aside.")
        }
        let opened = try JournalError.of(directory) { () throws(SQLiteError) in
            let connection = try connect(path, mayCreate: true)
            try JournalSchema.make(in: connection, id: RandomID.make(), hasLost: opening.mayHaveLost)
            return try JournalNumbers(of: connection).flatMap { OpenFile(connection, numbers: $0) }
        }
        guard let opened else { throw JournalError(.gone, "\(path) went while it was made") }
        try JournalError.ofSystem { () throws(SystemError) in try Folder.sync(directory) }
        opening.isNew = true
        return opened
    }

    private func connect(_ path: String, mayCreate: Bool) throws(SQLiteError) -> Connection {
        var settings = ConnectionSettings()
        settings.mayCreate = mayCreate
        settings.isExclusive = true
        settings.usesWriteAheadLog = false
        settings.cache_kibibytes = JournalFile.Limits.cache_kibibytes
        let connection = try Connection(path: path, settings)
        try connection.execute("PRAGMA wal_autocheckpoint = \(JournalFile.Limits.log_pages)")
        try connection.execute("PRAGMA journal_size_limit = \(JournalFile.Limits.log_bytes)")
        return connection
    }

    // MARK: Recovery

    /// Makes a new file from what can be read of the damaged one, and puts it in its place.
    private mutating func openRecovered(hasLost: Bool) throws(JournalError) -> OpenFile {
        try JournalError.ofSystem { () throws(SystemError) in try files.begin() }
        var recovery = JournalRecovery()
        try JournalError.of(directory) { () throws(SQLiteError) in
            let fresh = try connect(files.unfinished, mayCreate: true)
            // The new file does not count before it is finished, so its commits need no fsync.
            try fresh.execute("PRAGMA synchronous = NORMAL")
            let damaged = try DamagedTable.unlessDamaged { () throws(SQLiteError) in try connect(path, mayCreate: false)
            }
            defer { damaged?.close() }
            try recovery.copy(from: damaged, into: fresh, newID: RandomID.make(), hasLost: hasLost)
            fresh.close()
        }
        let name = try JournalError.ofSystem { () throws(SystemError) in try files.replace(at: now) }
        if let name { opening.movedAside.append(name) }
        opening.notes.append(recovery.description)
        let opened = try JournalError.of(directory) { () throws(SQLiteError) in
            let connection = try connect(path, mayCreate: false)
            return try JournalNumbers(of: connection).flatMap { OpenFile(connection, numbers: $0) }
        }
        guard let opened else { throw JournalError(.gone, "\(path) went while it was salvaged") }
        opening.isNew = opened.numbers.hasLost
        opening.mayHaveLost = opened.numbers.hasLost
        opening.formerID = opened.numbers.hasLost ? opened.numbers.formerID : nil
        return opened
    }

    private mutating func moveAside(_ word: String) throws(JournalError) {
        opening.movedAside.append(
            try JournalError.ofSystem { () throws(SystemError) in try files.moveAside(word, at: now) })
    }
}
