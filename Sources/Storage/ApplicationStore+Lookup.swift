extension ApplicationStore {
    /// Returns the organization that owns a room. Throws if the database could not answer.
    ///
    /// A name that cannot be an id in this database is an unknown room: for example one that is not a UUID although
    /// `rooms.id` is. If an organization has several licences, the largest counts.
    package func organization(ofRoom room: String) throws(StoreError) -> Result<Organization, LookupError> {
        try organizations(ofRooms: [room]).first ?? .failure(.room_not_found)
    }

    /// Returns the organizations that own rooms, in the order of the rooms, in as few round trips as the database
    /// allows.
    package func organizations(
        ofRooms rooms: [String]
    ) throws(StoreError) -> [Result<Organization, LookupError>] {
        let answers = try database.rows(lookup, of: rooms)
        precondition(answers.count == rooms.count, "a database answers for every room")
        var organizations: [Result<Organization, LookupError>] = []
        for answer in answers {
            switch answer {
            case .success(let rows): organizations.append(try Self.organization(in: rows))
            case .failure: organizations.append(.failure(.room_not_found))
            }
        }
        return organizations
    }

    private static func organization(
        in answer: SQLRows
    ) throws(StoreError) -> Result<Organization, LookupError> {
        guard let idPlace = answer.place(of: "org_id"), let namePlace = answer.place(of: "org_name"),
            let keyPlace = answer.place(of: "organization_pk")
        else {
            throw StoreError(
                .other, operation: "lookup",
                text: "the query returns \(answer.columns.joined(separator: ", ")); "
                    + "expected org_id, org_name, organization_pk, monthly_recording_minutes")
        }
        guard let row = answer.rows.first else { return .failure(.room_not_found) }
        guard let key = row[keyPlace].asKey else { return .failure(.no_organization) }
        guard let id = row[idPlace].asText, !id.isEmpty else { return .failure(.no_org_id) }
        let limit = answer.place(of: "monthly_recording_minutes").flatMap { place in
            answer.rows.compactMap { $0[place].asDouble }.max()
        }
        return .success(
            Organization(id: id, name: row[namePlace].asText ?? "", key: key, recordingLimit_minutes: limit ?? 0))
    }
}
