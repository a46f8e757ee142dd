import Journal
import Glibc
import Platform
import SQLite
import Wire

/// Opens the journal of a folder in any case: there is no file, a good one, a damaged one, or one of a newer program.
struct JournalOpener {
    private let directory: String
    private let now: Timestamp
    private let path: String
    /// The files that take over what can be read of a damaged one: first incomplete, then complete.
    private let unfinished: String
    private let finished: String
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
        path = "\(directory)/\(JournalFile.name)"
        unfinished = path + ".salvage"
        finished = path + ".salvaged"
    }

    /// - Parameters:
    ///   - expecting: the numbers when the journal was last open; nil at the first time.
    ///   - wasDamaged: damage was met while it was open, so a check that finds none is not believed.
    mutating func open(expecting: JournalNumbers?, wasDamaged: Bool = false) throws(JournalError) -> OpenFile {
        do throws(SystemError) {
            try FileStore.makeDirectory(directory)
            try finishRecovery()
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
                    keep(log.evidence)
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

    private mutating func keep(_ log: [UInt8]) {
        let name = Folder.asideName(of: path + "-wal", "damaged", at: now)
        // A log for which there is no room is not kept: the usable part of the journal matters more.
        if (try? FileStore.replace(name, with: log)) != nil { opening.movedAside.append(name) }
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
        // A log without its file belongs to no journal.
        if !Folder.exists(path) { try moveAsideLog() }
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
    ///
    /// A crash in between leaves the damaged file or the finished one. The next opening then begins again, or takes the
    /// finished one.
    private mutating func openRecovered(hasLost: Bool) throws(JournalError) -> OpenFile {
        try JournalError.ofSystem { () throws(SystemError) in try remove(unfinished) }
        var recovery = JournalRecovery()
        try JournalError.of(directory) { () throws(SQLiteError) in
            let fresh = try connect(unfinished, mayCreate: true)
            // The new file does not count before it is finished, so its commits need no fsync.
            try fresh.execute("PRAGMA synchronous = NORMAL")
            // A file that cannot be opened gives nothing.
            let damaged = try? connect(path, mayCreate: false)
            defer { damaged?.close() }
            try recovery.copy(from: damaged, into: fresh, newID: RandomID.make(), hasLost: hasLost)
            fresh.close()
        }
        try JournalError.ofSystem { () throws(SystemError) in
            try Folder.sync(unfinished)
            try Folder.move(unfinished, to: finished)
        }
        try moveAside("damaged")
        try JournalError.ofSystem { () throws(SystemError) in try finishRecovery() }
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

    /// Takes a finished file where the damaged one was moved aside already, and removes other leftovers.
    private func finishRecovery() throws(SystemError) {
        try remove(unfinished)
        guard Folder.exists(finished) else { return }
        if Folder.exists(path) {
            try remove(finished)
        } else {
            try Folder.move(finished, to: path)
            try Folder.sync(directory)
        }
    }

    private func remove(_ file: String) throws(SystemError) {
        for name in [file, file + "-wal", file + "-shm", file + "-journal"]
        where unlink(name) != 0 && errno != ENOENT { throw SystemError("unlink", name) }
    }

    private mutating func moveAside(_ word: String) throws(JournalError) {
        let name = Folder.asideName(of: path, word, at: now)
        try JournalError.ofSystem { () throws(SystemError) in
            try moveLog(to: name)
            try Folder.move(path, to: name)
            try Folder.sync(directory)
        }
        opening.movedAside.append(name)
    }

    private mutating func moveAsideLog() throws(JournalError) {
        guard Folder.exists(path + "-wal") else { return }
        let name = Folder.asideName(of: path, "damaged", at: now)
        try JournalError.ofSystem { () throws(SystemError) in try moveLog(to: name) }
        opening.mayHaveLost = true
        opening.movedAside.append(name + "-wal")
        opening.notes.append("The journal's log was found without its file; it was moved aside.")
    }

    private func moveLog(to name: String) throws(SystemError) {
        for suffix in ["-wal", "-shm"] where Folder.exists(path + suffix) {
            try Folder.move(path + suffix, to: name + suffix)
        }
    }
}
