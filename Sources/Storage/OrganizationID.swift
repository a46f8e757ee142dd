/// The primary key of an organization as its database knows it (`organizations.id`: bigint, uuid or text).
package enum OrganizationKey: Sendable, Hashable {
    case integer(Int64)
    case text(String)
}

/// An organization, with what lkpush knows of it.
package struct Organization: Sendable, Hashable {
    /// The stable public id: `organizations.workos_org_id`, the label `org_id`.
    package var id: String
    /// The display name, which may change.
    package var name: String
    /// The primary key, if the organization comes from the database.
    package var key: OrganizationKey?
    /// The minutes of recording per month that the licence allows; 0 without a licence, nil if no database gives them.
    package var recordingLimit_minutes: Double?

    package init(id: String, name: String, key: OrganizationKey? = nil, recordingLimit_minutes: Double? = nil) {
        self.id = id
        self.name = name
        self.key = key
        self.recordingLimit_minutes = recordingLimit_minutes
    }
}

/// The reasons for which a room has no organization. The raw value is the label value of `reason`.
package enum LookupError: String, Error, Sendable, CaseIterable {
    /// No source of organizations is configured.
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
