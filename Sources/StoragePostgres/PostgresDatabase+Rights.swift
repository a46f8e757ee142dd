import Postgres
package import Storage

/// The rights of the connection's role, and the policies that apply to it.
extension PostgresDatabase {
    /// Policies apply to a role that is no superuser and has no BYPASSRLS, and that does not own the table or finds
    /// them forced by it. A view reads its tables as its owner. With `security_invoker` it reads them as the role that
    /// sent the query, even inside of other views. A partition that is reached through its parent has the policies of
    /// the parent alone.
    /// https://www.postgresql.org/docs/15/ddl-rowsecurity.html https://www.postgresql.org/docs/15/sql-createview.html
    package func policies(on tables: [String]) throws(StoreError) -> [String: Set<SQLCommand>] {
        let found = try rows(Self.policyQuery, [.text(PostgresValue.array(tables))])
        var policies: [String: Set<SQLCommand>] = [:]
        for row in found.rows {
            guard let table = row[0].asText, let command = row[1].asText.flatMap({ SQLCommand(rawValue: $0) })
            else { continue }
            policies[table, default: []].insert(command)
        }
        return policies
    }

    /// Runs the query with `row_security` off. Then the server does not hide rows, but reports the table that has the
    /// policy.
    package func policies(on lookup: LookupQuery) throws(StoreError) -> String? {
        try begin(.write)
        defer { rollBack() }
        try runScript("SET LOCAL row_security = off")
        do throws(StoreError) {
            // The comment makes it another text, so it is prepared anew: a statement that is prepared already looks at
            // its values first.
            _ = try rows(lookup.sql + "\n-- policies", [.text("lkpush check")])
            return nil
        } catch {
            if error.kind == .connectionLost { throw error }
            guard error.isPolicy else { return nil }
            let name = error.text.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first
            return name.map { String($0) } ?? "?"
        }
    }

    package func withheldColumns(of table: String) throws(StoreError) -> [SQLCommand: Set<String>] {
        let found = try rows(
            """
            SELECT command, attname FROM pg_attribute
            CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS command
            WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
                AND NOT CASE command WHEN 'DELETE' THEN has_table_privilege(attrelid, command)
                    ELSE has_column_privilege(attrelid, attnum, command) END
            """, [.text(table)])
        var withheld: [SQLCommand: Set<String>] = [:]
        for row in found.rows {
            guard let command = row[0].asText.flatMap({ SQLCommand(rawValue: $0) }), let column = row[1].asText
            else { continue }
            withheld[command, default: []].insert(column)
        }
        return withheld
    }

    /// `used`: the relations that are read or written through each name, and the role that does it. `subject`: those to
    /// which policies apply. A command is free if one permissive policy lets every row through and no restrictive
    /// policy removes any.
    private static var policyQuery: String {
        """
        WITH RECURSIVE used (name, relation, role) AS (
            SELECT asked.name, to_regclass(asked.name)::oid, pg_roles.oid
            FROM unnest($1::text[]) AS asked (name), pg_roles WHERE pg_roles.rolname = current_user
            UNION
            SELECT used.name, d.refobjid, CASE
                WHEN lower(v.reloptions::text) ~ 'security_invoker=(true|t|on|yes|y|1)' THEN me.oid
                ELSE v.relowner END
            FROM used JOIN pg_roles me ON me.rolname = current_user
            JOIN pg_class v ON v.oid = used.relation AND v.relkind = 'v'
            JOIN pg_rewrite w ON w.ev_class = v.oid
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
        ), subject AS (
            SELECT used.name, used.role, c.oid AS relation
            FROM used JOIN pg_class c ON c.oid = used.relation JOIN pg_roles r ON r.oid = used.role
            WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
                AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE'))
        ), rule AS (
            SELECT subject.relation, subject.role, k.command, p.polpermissive,
                COALESCE(
                    (k.letter = 'a' OR pg_get_expr(p.polqual, p.polrelid) = 'true')
                    AND (k.letter IN ('r', 'd')
                        OR pg_get_expr(COALESCE(p.polwithcheck, p.polqual), p.polrelid) = 'true'),
                    NOT p.polpermissive) AS is_free
            FROM subject JOIN pg_policy p ON p.polrelid = subject.relation
            JOIN (VALUES ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE')) AS k (letter, command)
                ON p.polcmd::text IN (k.letter, '*')
            WHERE EXISTS (
                SELECT FROM unnest(p.polroles) AS member (role)
                WHERE member.role = 0 OR pg_has_role(subject.role, member.role, 'USAGE'))
        )
        SELECT DISTINCT subject.name, command
        FROM subject CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS command
        WHERE NOT EXISTS (
                SELECT FROM rule WHERE rule.relation = subject.relation AND rule.role = subject.role
                    AND rule.command = command.command AND polpermissive AND is_free)
            OR EXISTS (
                SELECT FROM rule WHERE rule.relation = subject.relation AND rule.role = subject.role
                    AND rule.command = command.command AND NOT polpermissive AND NOT is_free)
        """
    }
}
