import Postgres
package import Storage

/// The form in which a look-up is sent.
enum LookupForm {
    /// All rooms go in as one array, whose type is the one that the query compares rooms with. The SQL has the array as
    /// `$1`.
    case together(sql: String, isUUID: Bool)
    /// One room at a time: the server does not accept the query as a part of another one.
    case oneByOne
}

extension PostgresDatabase {
    package func rows(
        _ lookup: LookupQuery, of rooms: [String]
    ) throws(StoreError) -> [Result<SQLRows, StoreError>] {
        if rooms.count == 1 { return [try answer(lookup, of: rooms[0])] }
        return try answers(lookup, of: rooms[...], as: form(of: lookup))
    }

    /// Looks up one room. If its name is refused, that is the result for this room only.
    private func answer(_ lookup: LookupQuery, of room: String) throws(StoreError) -> Result<SQLRows, StoreError> {
        do throws(StoreError) {
            return .success(try rows(lookup.sql, [.text(room)]))
        } catch {
            guard error.kind == .refused else { throw error }
            return .failure(error)
        }
    }

    private func answers(
        _ lookup: LookupQuery, of rooms: ArraySlice<String>, as form: LookupForm
    ) throws(StoreError) -> [Result<SQLRows, StoreError>] {
        guard rooms.count > 1, case .together(let sql, let isUUID) = form else {
            var answers: [Result<SQLRows, StoreError>] = []
            for room in rooms { answers.append(try answer(lookup, of: room)) }
            return answers
        }
        // A name that cannot be a room is not sent: the server would refuse it, and all others with it.
        let asked = rooms.filter { $0.utf8.allSatisfy { $0 != 0 } && (!isUUID || PostgresValue.isUUID($0)) }
        do throws(StoreError) {
            let found = try asked.isEmpty ? nil : self.rows(sql, [.text(PostgresValue.array(asked))])
            return Self.split(found, asked: asked, of: rooms)
        } catch {
            switch error.kind {
            case .connectionLost: throw error
            case .refused:
                // The server refused at least one name, for a reason that only it knows. Each half is tried by itself.
                let middle = rooms.index(rooms.startIndex, offsetBy: rooms.count / 2)
                return try answers(lookup, of: rooms[..<middle], as: form)
                    + answers(lookup, of: rooms[middle...], as: form)
            case .other:
                // A time-out may not happen again. A query that does not work as a part of another one never will.
                guard error.code.hasPrefix("42") || error.code == "0A000" else { throw error }
                lookups[lookup.sql] = .oneByOne
                return try answers(lookup, of: rooms, as: .oneByOne)
            }
        }
    }

    /// Splits the rows by room. The first column is the number of the room, from 1.
    private static func split(
        _ found: SQLRows?, asked: [String], of rooms: ArraySlice<String>
    ) -> [Result<SQLRows, StoreError>] {
        let groups = Dictionary(grouping: found?.rows ?? [], by: { $0[0].asInteger ?? 0 })
        let columns = Array(found?.columns.dropFirst() ?? [])
        var place: Int64 = 0
        return rooms.map { room in
            let next = Int(place)
            guard next < asked.count, asked[next].utf8.elementsEqual(room.utf8) else {
                return .failure(StoreError(.refused, operation: "lookup", code: "22P02", text: "not the id of a room"))
            }
            place += 1
            return .success(SQLRows(columns: columns, rows: groups[place, default: []].map { Array($0.dropFirst()) }))
        }
    }

    /// Finds the type that the query compares a room with, and makes the form for many rooms from it.
    private func form(of lookup: LookupQuery) throws(StoreError) -> LookupForm {
        if let known = lookups[lookup.sql] { return known }
        let type = try firstParameterType(of: lookup.sql)
        // The type modifier -1 gives the name of the type without a length, which would cut values.
        let name = try rows("SELECT format_type($1, -1)", [.integer(Int64(type))]).rows.first?.first?.asText
        // The line break ends a comment at the end of the query.
        let query = lookup.sql(room: "lkpush_asked.room").drop { $0.isWhitespace }
        let body = query.prefix(
            upTo: query.lastIndex { !$0.isWhitespace && $0 != ";" }.map(query.index(after:)) ?? query.startIndex)
        let form = LookupForm.together(
            sql: """
                SELECT lkpush_asked.place, lkpush_found.*
                FROM unnest($1::\(name ?? "text")[]) WITH ORDINALITY AS lkpush_asked (room, place)
                CROSS JOIN LATERAL (
                \(body)
                ) AS lkpush_found
                """, isUUID: type == PostgresValue.TypeID.uuid)
        lookups[lookup.sql] = form
        return form
    }
}
