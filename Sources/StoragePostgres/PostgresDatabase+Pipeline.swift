import CPostgres
package import Storage

extension PostgresDatabase {
    /// A statement that is checked and prepared.
    private struct Ready {
        let statement: SQLStatement
        let name: String?

        func send(_ handle: OpaquePointer) -> Bool {
            PostgresDatabase.send(handle, statement.sql, statement.values, preparedAs: name) == 1
        }
    }

    package func runAll(_ statements: [SQLStatement]) throws(StoreError) -> [Int] {
        var changes: [Int] = []
        for start in stride(from: 0, to: statements.count, by: PostgresSettings.Limits.pipeline) {
            let end = min(start + PostgresSettings.Limits.pipeline, statements.count)
            var ready: [Ready] = []
            for statement in statements[start..<end] { ready.append(try self.ready(statement)) }
            let groups = try connection.pipeline("write", groups: 1) { handle, _ in
                ready.allSatisfy { $0.send(handle) }
            }
            for group in groups { changes += try group.get() }
        }
        return changes
    }

    /// Sends all statements in one round trip, with one savepoint. After a statement that worked, the savepoint moves
    /// behind it. After one that was refused, the server skips that move, too. So `ROLLBACK TO` is right in both cases.
    package func runEach(_ statements: [SQLStatement]) throws(StoreError) -> [StoreError?] {
        guard !statements.isEmpty else { return [] }
        let set = try ready(SQLStatement("SAVEPOINT one_row", []))
        let release = try ready(SQLStatement("RELEASE SAVEPOINT one_row", []))
        let goBack = try ready(SQLStatement("ROLLBACK TO SAVEPOINT one_row", []))
        _ = try run(set.statement.sql, [])
        var refusals: [StoreError?] = []
        let count = PostgresSettings.Limits.pipeline / 4
        for start in stride(from: 0, to: statements.count, by: count) {
            var parts: [Result<Ready, StoreError>] = []
            for statement in statements[start..<min(start + count, statements.count)] {
                do throws(StoreError) {
                    parts.append(.success(try ready(statement)))
                } catch {
                    guard error.kind == .refused else { throw error }
                    parts.append(.failure(error))
                }
            }
            let sent = parts.compactMap { try? $0.get() }
            let groups = try connection.pipeline("write", groups: sent.count * 2) { handle, index in
                index % 2 == 1
                    ? goBack.send(handle)
                    : sent[index / 2].send(handle) && release.send(handle) && set.send(handle)
            }
            refusals += try Self.refusals(of: parts, groups)
        }
        _ = try run(release.statement.sql, [])
        return refusals
    }

    /// The refusal of each part, if it was refused. Any other error is thrown, as it concerns all parts.
    private static func refusals(
        of parts: [Result<Ready, StoreError>], _ groups: [Result<[Int], StoreError>]
    ) throws(StoreError) -> [StoreError?] {
        var refusals: [StoreError?] = []
        var place = 0
        for part in parts {
            if case .failure(let error) = part {
                refusals.append(error)
                continue
            }
            if case .failure(let error) = groups[place] {
                guard error.kind == .refused else { throw error }
                refusals.append(error)
            } else {
                refusals.append(nil)
            }
            _ = try groups[place + 1].get()
            place += 2
        }
        return refusals
    }

    private func ready(_ statement: SQLStatement) throws(StoreError) -> Ready {
        try checkSendable(statement.sql, statement.values)
        return Ready(
            statement: statement, name: try prepare(statement.sql, statement.values.map { PostgresValue.type(of: $0) }))
    }
}
