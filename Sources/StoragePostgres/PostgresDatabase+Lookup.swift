import CPostgres
package import Storage

/// How a lookup is asked.
enum LookupForm {
    /// The rooms go in as one array, of what the query compares them with; the text takes the array as `$1`.
    case together(sql: String, isUUID: Bool)
    /// The server does not take the query inside of another one.
    case oneByOne
}

extension PostgresDatabase {
    package func rows(
        _ lookup: LookupQuery, of rooms: [String]
    ) throws(StoreError) -> [Result<SQLRows, StoreError>] {
        if rooms.count == 1 { return [try answer(lookup, of: rooms[0])] }
        return try answers(lookup, of: rooms[...], as: form(of: lookup))
    }

    /// One room; a name that is refused is its own failure.
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
        // What surely cannot be a room is not asked for: it would be refused, and all others with it.
        let asked = rooms.filter { $0.utf8.allSatisfy { $0 != 0 } && (!isUUID || PostgresValue.isUUID($0)) }
        do throws(StoreError) {
            let found = try asked.isEmpty ? nil : self.rows(sql, [.text(PostgresValue.array(asked))])
            return Self.split(found, asked: asked, of: rooms)
        } catch {
            switch error.kind {
            case .connectionLost: throw error
            case .refused:
                // One of them is no room here, in a way that only the server knows: it is among one half.
                let middle = rooms.index(rooms.startIndex, offsetBy: rooms.count / 2)
                return try answers(lookup, of: rooms[..<middle], as: form)
                    + answers(lookup, of: rooms[middle...], as: form)
            case .other:
                // A time-out may pass; a query that does not fit into another one never will.
                guard error.code.hasPrefix("42") || error.code == "0A000" else { throw error }
                lookups[lookup.sql] = .oneByOne
                return try answers(lookup, of: rooms, as: .oneByOne)
            }
        }
    }

    /// The rows of each room; the first column says which room they are of, counted from 1.
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

    /// Finds out what type of value the query compares a room with.
    private func form(of lookup: LookupQuery) throws(StoreError) -> LookupForm {
        if let known = lookups[lookup.sql] { return known }
        let type = try firstParameterType(of: lookup.sql)
        // With -1 the name of a type without a length, which would cut.
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
