/// The primary key of an organization as its database knows it (`organizations.id`: bigint, uuid or text).
package enum OrganizationKey: Sendable, Hashable {
    case integer(Int64)
    case text(String)
}

/// What is known of an organization.
package struct Organization: Sendable, Hashable {
    /// The stable public id: `organizations.workos_org_id`, the label `org_id`.
    package var id: String
    /// What people call it; may change.
    package var name: String
    /// Its primary key, where the organization comes from the database.
    package var key: OrganizationKey?
    /// Minutes of recording per month its licence allows; 0 without a licence, nil where no database says.
    package var recordingLimit_minutes: Double?

    package init(id: String, name: String, key: OrganizationKey? = nil, recordingLimit_minutes: Double? = nil) {
        self.id = id
        self.name = name
        self.key = key
        self.recordingLimit_minutes = recordingLimit_minutes
    }
}

/// Why no organization could be named for a room; the raw value is the label value of `reason`.
package enum LookupError: String, Error, Sendable, CaseIterable {
    /// No way to find organizations is configured.
    case not_configured
    /// The room is not in the database, or its name cannot be an id of one.
    case room_not_found
    /// The room has no organization.
    case no_organization
    /// The organization has no public id.
    case no_org_id
    /// The database did not answer in time, or answered with an error.
    case lookup_error
}
