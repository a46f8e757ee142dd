import Postgres
package import Storage

extension PostgresDatabase {
    package func runAll(_ statements: [SQLStatement]) throws(StoreError) -> [Int] {
        var changes: [Int] = []
        for start in stride(from: 0, to: statements.count, by: PostgresSettings.Limits.pipeline) {
            let end = min(start + PostgresSettings.Limits.pipeline, statements.count)
            var calls: [PostgresCall] = []
            for statement in statements[start..<end] { calls.append(try ready(statement)) }
            for group in try connection.pipeline("write", groups: [calls]) { changes += try group.get() }
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
        _ = try run("SAVEPOINT one_row", [])
        var refusals: [StoreError?] = []
        let count = PostgresSettings.Limits.pipeline / 4
        for start in stride(from: 0, to: statements.count, by: count) {
            var parts: [Result<PostgresCall, StoreError>] = []
            for statement in statements[start..<min(start + count, statements.count)] {
                do throws(StoreError) {
                    parts.append(.success(try ready(statement)))
                } catch {
                    guard error.kind == .refused else { throw error }
                    parts.append(.failure(error))
                }
            }
            let sent = parts.compactMap { try? $0.get() }
            let groups = try connection.pipeline("write", groups: sent.flatMap { [[$0, release, set], [goBack]] })
            refusals += try Self.refusals(of: parts, groups)
        }
        _ = try run("RELEASE SAVEPOINT one_row", [])
        return refusals
    }

    /// The refusal of each part, if it was refused. Any other error is thrown, as it concerns all parts.
    private static func refusals(
        of parts: [Result<PostgresCall, StoreError>], _ groups: [Result<[Int], StoreError>]
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

    private func ready(_ statement: SQLStatement) throws(StoreError) -> PostgresCall {
        try checkSendable(statement.sql, statement.values)
        let name = try prepare(statement.sql, statement.values.map { PostgresValue.type(of: $0) })
        return PostgresCall(statement.sql, statement.values, preparedAs: name)
    }
}
