package import Journal
import Platform
import Postgres
import Storage

/// The tables of logs, the rights of a role to them, and the lease of one log, as a connection finds them. Nothing is made,
/// locked or changed.
package struct LogFacts: Sendable, Equatable {
    package var synchronous = SynchronousFacts()
    /// The role of the connection.
    package var role = ""
    /// The schema that tables are made in. Nil if the role has none.
    package var schema: String?
    /// The role may make tables in `schema`.
    package var mayCreate = false
    /// The version of the tables; 0 where they are not there, nil where the role may not read it.
    package var version: Int64? = 0
    /// The tables that are there, and that the role may not read, or not write in every way.
    package var withheld: [String] = []
    /// The lease; nil where this log was never used, or the role may not read it.
    package var lease: LeaseRecord?

    /// The version of the tables that this program makes.
    package static var version: Int64 { LogSchema.version }

    package init() {}

    init(over connection: PostgresConnection, _ log: String) throws(StoreError) {
        let operation = "look at the tables of the journal"
        func rows(_ sql: String, _ values: [BinaryValue] = []) throws(StoreError) -> [[BinaryValue]] {
            try connection.rows(operation, groups: [[PostgresCall(sql, binary: values)]])[0].get().first ?? []
        }
        synchronous = try SynchronousFacts(over: connection)
        if let row = try rows(Self.session).first {
            role = row[0].asText ?? ""
            schema = row[1].asText
            mayCreate = row[2].asFlag ?? false
        }
        let tables = try rows(Self.tables)
        withheld = tables.filter { $0[1].asFlag != true }.compactMap { $0[0].asText }
        guard !tables.isEmpty else { return }
        do throws(StoreError) {
            version = try rows("SELECT max(version) FROM lkpush_journal_versions").first?[0].asInteger ?? 0
            guard version == Self.version else { return }
            lease = try rows(PostgresLease.query, [.text(log)]).first.map { LeaseRecord($0) }
        } catch {
            // The role may not read it, which `withheld` tells.
            guard error.code == "42501" else { throw error }
            if version == 0 { version = nil }
        }
    }

    private static let session = """
        SELECT current_user::text, current_schema()::text,
            COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false)
        """

    /// The tables that unqualified names lead to.
    private static let tables = """
        SELECT c.relname::text, (SELECT bool_and(has_table_privilege(c.oid, p))
            FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p)
        FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relname LIKE 'lkpush\\_journal\\_%' AND pg_table_is_visible(c.oid)
        ORDER BY 1
        """
}

extension PostgresLog {
    /// Looks at the tables of logs, and at this log. It makes and changes nothing.
    package func facts() throws(JournalError) -> LogFacts {
        try JournalError.ofDatabase { () throws(StoreError) in
            let connection = try place.connect()
            defer { connection.close() }
            return try LogFacts(over: connection, place.name)
        }
    }
}
