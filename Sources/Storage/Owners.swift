import Wire

/// Finds the organizations of the rows of one transaction, each once.
///
/// A value, so that what a savepoint undoes is also forgotten here.
struct Owners {
    /// The operation of the error that says that a room's name cannot be one.
    static let lookup = "lookup"

    private let store: OfficeStore
    /// By the name of a room, or by id and name of an organization.
    private var keys: [[ExactText]: Result<OrganizationKey, LookupFailure>] = [:]

    init(store: OfficeStore) { self.store = store }

    mutating func key(
        of owner: RowOwner?
    ) throws(StoreError) -> Result<OrganizationKey, LookupFailure> {
        guard let owner else { return .failure(.no_organization) }
        let texts: [ExactText]
        switch owner {
        case .key(let key): return .success(key)
        case .organization(let id, let name): texts = [ExactText(id), ExactText(name)]
        case .room(let name): texts = [ExactText(name)]
        }
        if let known = keys[texts] { return known }
        let result: Result<OrganizationKey, LookupFailure>
        if case .organization(let id, let name) = owner {
            result = .success(try key(ofPublicID: id, name: name))
        } else {
            result = try key(ofRoom: texts[0].text)
        }
        keys[texts] = result
        return result
    }

    private func key(ofRoom name: String) throws(StoreError) -> Result<OrganizationKey, LookupFailure> {
        do throws(StoreError) {
            return try store.find(name).flatMap { organization in
                organization.key.map { .success($0) } ?? .failure(.no_organization)
            }
        } catch {
            guard error.kind == .refused else { throw error }
            throw StoreError(.refused, operation: Self.lookup, code: error.code, text: error.text)
        }
    }

    /// The key of an organization that comes from elsewhere: its row is inserted on first sight, its name kept current.
    private func key(ofPublicID id: String, name: String) throws(StoreError) -> OrganizationKey {
        if let key = try find(id, name: name) { return key }
        _ = try store.database.run(
            "INSERT INTO organizations (workos_org_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [.text(id), .text(name.isEmpty ? id : name)])
        if let key = try find(id, name: name) { return key }
        throw StoreError(.other, operation: "insert organization", text: "the row did not stay")
    }

    private func find(_ id: String, name: String) throws(StoreError) -> OrganizationKey? {
        let found = try store.database.rows(
            "SELECT id, name FROM organizations WHERE workos_org_id = $1 ORDER BY id LIMIT 1", [.text(id)])
        guard let row = found.rows.first, let key = row[0].asKey else { return nil }
        if row[1].asText != name && !name.isEmpty {
            _ = try store.database.run(
                "UPDATE organizations SET name = $2 WHERE id = $1", [SQLValue(key), .text(name)])
        }
        return key
    }
}
