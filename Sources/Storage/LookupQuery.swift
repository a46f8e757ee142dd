/// The query that finds the organization of a room.
package struct LookupQuery: Sendable, Equatable {
    /// An error in a query of the user.
    package struct QueryFault: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// The text, with `:room` in the place of the room's name.
    private let template: String
    /// The text, with `$1` in the place of the room's name.
    package let sql: String

    /// The query over the tables of lkpush's own schema. A room without an organization has a row, an unknown room has
    /// none.
    package static let standard = LookupQuery(
        template: """
            SELECT organizations.workos_org_id AS org_id, organizations.name AS org_name,
                org_licenses.monthly_recording_minutes AS monthly_recording_minutes,
                organizations.id AS organization_pk
            FROM rooms
            LEFT JOIN organizations ON organizations.id = rooms.organization_id
            LEFT JOIN org_licenses ON org_licenses.organization_id = organizations.id
            WHERE rooms.id = :room
            """)

    /// The query for key and name of the organization with a public id. The public id takes the place of the room's
    /// name.
    static let organization = LookupQuery(
        template: "SELECT id, name FROM organizations WHERE workos_org_id = :room ORDER BY id LIMIT 1")

    /// Makes a query of the user's text. `:room` stands for the room's name. The query returns the columns `org_id`,
    /// `org_name`, `organization_pk` and optionally `monthly_recording_minutes`.
    package init(sql: String) throws(QueryFault) {
        self.init(template: sql)
        guard self.sql != sql else { throw QueryFault(description: "expected a query with the parameter :room") }
    }

    private init(template: String) {
        self.template = template
        sql = NamedParameter.replace("room", in: template, by: "$1").sql
    }

    /// Returns the text with another expression for the room's name, such as a column of an enclosing query.
    package func sql(room: String) -> String { NamedParameter.replace("room", in: template, by: room).sql }
}
