extension OfficeStore {
    /// The organization that owns a room. Throws where the database could not answer.
    ///
    /// A name that cannot be an id in this database, such as one that is no UUID where `rooms.id` is one, is an unknown
    /// room. Several licences: the largest counts.
    package func organization(ofRoom room: String) throws(StoreError) -> Result<Organization, LookupFailure> {
        do throws(StoreError) {
            return try find(room)
        } catch {
            guard error.kind == .refused else { throw error }
            return .failure(.room_not_found)
        }
    }

    /// The same, where a refused name is an error of the kind `refused`: in a transaction it must be undone.
    func find(_ room: String) throws(StoreError) -> Result<Organization, LookupFailure> {
        let answer = try database.rows(lookup.sql, [.text(room)])
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
