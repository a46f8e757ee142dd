import Wire

/// Finds the organizations of the rows of one transaction, each once.
///
/// A value, so that what a savepoint undoes is also forgotten here.
struct Owners {
    private let database: any Database
    /// By the name of a room.
    private let rooms: [ExactText: Result<OrganizationKey, LookupFailure>]
    /// By id and name of an organization.
    private var keys: [[ExactText]: OrganizationKey] = [:]

    /// Looks all rooms of the rows up; call it outside of the transaction, which a name that is refused would end.
    init(of rows: some Sequence<StoreRow>, in store: OfficeStore) throws(StoreError) {
        database = store.database
        var names: [ExactText] = []
        var seen: Set<ExactText> = []
        for row in rows {
            if case .room(let name) = row.owner, seen.insert(ExactText(name)).inserted { names.append(ExactText(name)) }
        }
        guard !names.isEmpty else {
            rooms = [:]
            return
        }
        let found = try store.organizations(ofRooms: names.map(\.text)).map { organization in
            organization.flatMap { $0.key.map { .success($0) } ?? .failure(.no_organization) }
        }
        rooms = Dictionary(uniqueKeysWithValues: zip(names, found))
    }

    mutating func key(
        of owner: RowOwner?
    ) throws(StoreError) -> Result<OrganizationKey, LookupFailure> {
        switch owner {
        case nil: return .failure(.no_organization)
        case .key(let key): return .success(key)
        case .room(let name): return rooms[ExactText(name)] ?? .failure(.room_not_found)
        case .organization(let id, let name):
            let texts = [ExactText(id), ExactText(name)]
            if let known = keys[texts] { return .success(known) }
            let key = try key(ofPublicID: id, name: name)
            keys[texts] = key
            return .success(key)
        }
    }

    /// The key is known, or can be found, without a change of the database.
    mutating func isSettled(_ owner: RowOwner?) throws(StoreError) -> Bool {
        guard case .organization(let id, let name) = owner else { return true }
        let texts = [ExactText(id), ExactText(name)]
        if keys[texts] != nil { return true }
        var found: (key: OrganizationKey, name: String?)?
        // A text that the database cannot even read is refused with its row.
        let refusal = try database.saved { () throws(StoreError) in found = try look(id) }
        guard refusal == nil, let found, found.name == name || name.isEmpty else { return false }
        keys[texts] = found.key
        return true
    }

    /// The key of an organization that comes from elsewhere: its row is inserted on first sight, its name kept current.
    private func key(ofPublicID id: String, name: String) throws(StoreError) -> OrganizationKey {
        if let key = try find(id, name: name) { return key }
        _ = try database.run(
            "INSERT INTO organizations (workos_org_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [.text(id), .text(name.isEmpty ? id : name)])
        if let key = try find(id, name: name) { return key }
        throw StoreError(.other, operation: "insert organization", text: "the row did not stay")
    }

    private func find(_ id: String, name: String) throws(StoreError) -> OrganizationKey? {
        guard let found = try look(id) else { return nil }
        if found.name != name && !name.isEmpty {
            _ = try database.run(
                "UPDATE organizations SET name = $2 WHERE id = $1", [SQLValue(found.key), .text(name)])
        }
        return found.key
    }

    private func look(_ id: String) throws(StoreError) -> (key: OrganizationKey, name: String?)? {
        let found = try database.rows(
            "SELECT id, name FROM organizations WHERE workos_org_id = $1 ORDER BY id LIMIT 1", [.text(id)])
        guard let row = found.rows.first, let key = row[0].asKey else { return nil }
        return (key, row[1].asText)
    }
}
