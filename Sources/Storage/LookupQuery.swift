/// The query that finds the organization of a room.
package struct LookupQuery: Sendable, Equatable {
    /// Why a query of the user cannot be used.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// The text with `$1` for the room's name.
    let sql: String

    /// Over the tables of lkpush's own schema. A room without an organization has a row, an unknown room has none.
    package static let standard = LookupQuery(
        prepared: """
            SELECT organizations.workos_org_id AS org_id, organizations.name AS org_name,
                org_licenses.monthly_recording_minutes AS monthly_recording_minutes,
                organizations.id AS organization_pk
            FROM rooms
            LEFT JOIN organizations ON organizations.id = rooms.organization_id
            LEFT JOIN org_licenses ON org_licenses.organization_id = organizations.id
            WHERE rooms.id = $1
            """)

    /// A query of the user: `:room` stands for the room's name; it returns the columns `org_id`, `org_name`,
    /// `organization_pk` and, if it likes, `monthly_recording_minutes`.
    package init(sql: String) throws(Problem) {
        let (text, count) = NamedParameter.replace("room", in: sql)
        guard count > 0 else { throw Problem(description: "expected a query with the parameter :room") }
        self.sql = text
    }

    private init(prepared: String) { sql = prepared }
}
