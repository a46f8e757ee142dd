import Journal
import Postgres
import Storage
import Wire

/// The connection of one thread to a log. It connects when it is needed, and again after a loss.
final class LogConnection {
    let place: LogPlace
    private var connection: PostgresConnection?
    /// The names of prepared statements by their text.
    private var prepared: [String: String] = [:]

    init(_ place: LogPlace) { self.place = place }

    /// Closes the connection. The next call connects again.
    func close() {
        connection?.close()
        connection = nil
        prepared.removeAll()
    }

    /// The version of the server, such as 150004.
    func serverVersion() throws(StoreError) -> Int { try open().serverVersion }

    // MARK: Statements

    /// Runs one query outside of a transaction.
    func query(_ operation: String, _ call: LogCall) throws(StoreError) -> [[BinaryValue]] {
        try together(operation, [call])[0]
    }

    /// Runs statements in one round trip, outside of a transaction of ours. The server makes one of them all.
    func together(_ operation: String, _ calls: [LogCall]) throws(StoreError) -> [[[BinaryValue]]] {
        let connection = try open()
        let ready = try ready(calls, on: connection)
        do throws(StoreError) {
            return try connection.rows(operation, groups: [ready])[0].get()
        } catch {
            throw failed(error)
        }
    }

    /// Runs statements in one transaction and one round trip. Returns the rows of each.
    ///
    /// After an error nothing of it took effect, or the connection was lost, and nobody knows. The same is so where the
    /// wait for a synchronous standby was cancelled. Before each large statement the server is asked to report: in the
    /// middle of a silence it would else hold its locks without any limit.
    /// - Parameters:
    ///   - lock: the longest wait for a lock.
    ///   - isSynced: it returns when the transaction is durable, on the synchronous standbys as well.
    func transaction(
        _ operation: String, lock: Duration? = nil, isSynced: Bool = true, _ calls: [LogCall]
    ) throws(StoreError) -> [[[BinaryValue]]] {
        let connection = try open()
        let settings = settings(of: connection, lock: lock ?? place.settings.lock, isSynced: isSynced)
        let all = [LogCall("BEGIN ISOLATION LEVEL READ COMMITTED"), settings] + calls + [LogCall("COMMIT")]
        let ready = try ready(all, on: connection)
        var groups: [[PostgresCall]] = [[]]
        for (call, made) in zip(all, ready) {
            if call.isLarge { groups.append([]) }
            groups[groups.count - 1].append(made)
        }
        _ = connection.takeWarnings()
        do throws(StoreError) {
            var answers: [[[BinaryValue]]] = []
            for group in try connection.rows(operation, groups: groups) { answers += try group.get() }
            if connection.takeWarnings().contains(JournalError.warningCode) {
                throw StoreError(
                    .other, operation: operation, code: JournalError.warningCode,
                    text: "the wait for a synchronous standby was cancelled")
            }
            return Array(answers.dropFirst(2).dropLast())
        } catch {
            throw failed(error)
        }
    }

    // MARK: The connection

    private func open() throws(StoreError) -> PostgresConnection {
        if let connection, connection.isOpen { return connection }
        close()
        let new = try place.connect()
        let settings = place.settings
        try new.run(
            "set time-outs",
            script: """
                SET statement_timeout = \(settings.statement.milliseconds); SET lock_timeout = \(settings.lock.milliseconds);
                SET idle_in_transaction_session_timeout = \(settings.idle.milliseconds); SET client_min_messages = warning
                """)
        try LogSchema.prepare(new, place)
        connection = new
        return new
    }

    /// The settings of a transaction. They are local to it, because a pooler may give the next one to another connection.
    private func settings(of connection: PostgresConnection, lock: Duration, isSynced: Bool) -> LogCall {
        let limits = place.settings
        let values: [BinaryValue] = [
            .text(isSynced ? "on" : "off"), .text("\(limits.statement.milliseconds)"), .text("\(lock.milliseconds)"),
            .text("\(limits.idle.milliseconds)"),
        ]
        // It ends transactions that are silent in the middle of a statement, too. Older servers do not know it.
        let whole =
            connection.serverVersion >= 170_000
            ? ", set_config('transaction_timeout', '\((limits.statement * 3).milliseconds)', true)" : ""
        return LogCall(
            """
            SELECT set_config('synchronous_commit', $1, true), set_config('statement_timeout', $2, true),
                set_config('lock_timeout', $3, true), set_config('idle_in_transaction_session_timeout', $4, true),
                set_config('client_min_messages', 'warning', true)\(whole)
            """, values)
    }

    private func ready(_ calls: [LogCall], on connection: PostgresConnection) throws(StoreError) -> [PostgresCall] {
        var ready: [PostgresCall] = []
        for call in calls {
            ready.append(PostgresCall(call.sql, binary: call.values, preparedAs: try name(call, on: connection)))
        }
        return ready
    }

    /// The name of the prepared statement. A prepared one begins with its values, so that the server notices a client
    /// that is silent while it sends them. It costs the server less, too.
    private func name(_ call: LogCall, on connection: PostgresConnection) throws(StoreError) -> String? {
        if let name = prepared[call.sql] { return name }
        guard prepared.count < PostgresSettings.Limits.preparedStatements else { return nil }
        let name = "lkpush_journal_\(prepared.count)"
        do throws(StoreError) {
            try connection.prepare("prepare a statement of the journal", name, call.sql, call.values.map(\.type))
        } catch {
            throw failed(error)
        }
        prepared[call.sql] = name
        return name
    }

    /// Ends the transaction after an error. Where the tables are gone, the next call makes them anew.
    private func failed(_ error: StoreError) -> StoreError {
        guard let connection, connection.isOpen, error.code != JournalError.noTableCode else {
            close()
            return error
        }
        if connection.isInTransaction {
            do throws(StoreError) {
                try connection.run("ROLLBACK", script: "ROLLBACK")
            } catch {
                // A transaction that is still open would swallow the statements that follow.
                close()
            }
        }
        return error
    }
}
