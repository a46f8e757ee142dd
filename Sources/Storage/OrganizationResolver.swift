import Wire

/// Finds the organizations of the rows of one transaction, each one once.
///
/// It is a value, so that a copy from before a savepoint forgets what the savepoint undoes.
struct OrganizationResolver {
    private let database: any Database
    /// The organizations of rooms, by the room's name.
    private let rooms: [ExactText: Result<OrganizationKey, LookupError>]
    /// The keys of organizations, by public id and name.
    private var keys: [[ExactText]: OrganizationKey] = [:]

    /// Looks up all rooms and organizations of the rows. Call it outside of the transaction, because a refused name
    /// would end it.
    init(of rows: some Sequence<StoreRow>, in store: ApplicationStore) throws(StoreError) {
        database = store.database
        var names: Set<ExactText> = []
        var publicIDs: [ExactText: Set<ExactText>] = [:]
        for row in rows {
            switch row.owner {
            case .room(let name): names.insert(ExactText(name))
            case .organization(let id, let name): publicIDs[ExactText(id), default: []].insert(ExactText(name))
            case .key, nil: break
            }
        }
        let asked = Array(names)
        let found = asked.isEmpty ? [] : try store.organizations(ofRooms: asked.map(\.text))
        rooms = Dictionary(
            uniqueKeysWithValues: zip(
                asked,
                found.map { organization in
                    organization.flatMap { $0.key.map { .success($0) } ?? .failure(.no_organization) }
                }))
        let ids = Array(publicIDs.keys)
        let answers = ids.isEmpty ? [] : try database.rows(Self.byPublicID, of: ids.map(\.text))
        for (id, answer) in zip(ids, answers) {
            guard case .success(let rows) = answer, let (key, name) = Self.keyAndName(in: rows) else { continue }
            for wanted in publicIDs[id, default: []] where wanted.text.isEmpty || wanted.text == name {
                keys[[id, wanted]] = key
            }
        }
    }

    mutating func key(
        of owner: RowOwner?
    ) throws(StoreError) -> Result<OrganizationKey, LookupError> {
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

    /// Returns true if the key is known without a change of the database.
    func isSettled(_ owner: RowOwner?) -> Bool {
        guard case .organization(let id, let name) = owner else { return true }
        return keys[[ExactText(id), ExactText(name)]] != nil
    }

    /// Returns the key of an organization that comes from elsewhere. Inserts its row at first sight, and updates its
    /// name.
    private func key(ofPublicID id: String, name: String) throws(StoreError) -> OrganizationKey {
        if let key = try find(id, name: name) { return key }
        _ = try database.run(
            "INSERT INTO organizations (workos_org_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [.text(id), .text(name.isEmpty ? id : name)])
        if let key = try find(id, name: name) { return key }
        throw StoreError(
            .other, operation: "insert organization",
            text: "the row did not stay, or a policy of row level security hides it")
    }

    private func find(_ id: String, name: String) throws(StoreError) -> OrganizationKey? {
        let found = try database.rows(Self.byPublicID.sql, [.text(id)])
        guard let (key, oldName) = Self.keyAndName(in: found) else { return nil }
        if oldName != name && !name.isEmpty {
            _ = try database.run(
                "UPDATE organizations SET name = $2 WHERE id = $1", [SQLValue(key), .text(name)])
        }
        return key
    }

    private static let byPublicID = LookupQuery.organization

    private static func keyAndName(in rows: SQLRows) -> (key: OrganizationKey, name: String?)? {
        guard let row = rows.rows.first, let key = row[0].asKey else { return nil }
        return (key, row[1].asText)
    }
}
