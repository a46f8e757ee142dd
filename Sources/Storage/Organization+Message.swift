package import Wire

// The stored form of organizations; `proto/journal.proto` describes it.

extension Organization {
    /// Appends the fields of the organization.
    package func encode(into writer: inout MessageWriter) {
        writer.field(1, id)
        writer.field(2, name)
        switch key {
        case .integer(let number): writer.element(3, number)
        case .text(let text): writer.element(4, text)
        case nil: break
        }
        if let recordingLimit_minutes { writer.element(5, fraction: recordingLimit_minutes) }
    }

    /// Reads an organization to the end of its message.
    package init(from reader: inout MessageReader) throws(MessageFault) {
        self.init(id: "", name: "")
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.string()
            case 2: name = try reader.string()
            case 3: key = .integer(try reader.int64())
            case 4: key = .text(try reader.string())
            case 5: recordingLimit_minutes = try reader.double()
            default: try reader.skip()
            }
        }
    }
}

extension LookupError: StoredEnumeration {
    package static let inStoredOrder: [LookupError] = [
        .not_configured, .room_not_found, .no_organization, .no_org_id, .lookup_error,
    ]
}

extension RowOwner {
    /// Appends the fields of the owner.
    package func encode(into writer: inout MessageWriter) {
        switch self {
        case .key(.integer(let number)): writer.element(1, number)
        case .key(.text(let text)): writer.element(2, text)
        case .organization(let id, let name):
            writer.element(3, id)
            writer.field(4, name)
        case .room(let name): writer.element(5, name)
        }
    }

    /// Reads an owner to the end of its message. Throws if it names none.
    package init(from reader: inout MessageReader) throws(MessageFault) {
        var owner: RowOwner?
        var name = ""
        while let field = try reader.next() {
            switch field {
            case 1: owner = .key(.integer(try reader.int64()))
            case 2: owner = .key(.text(try reader.string()))
            case 3: owner = .organization(id: try reader.string(), name: "")
            case 4: name = try reader.string()
            case 5: owner = .room(name: try reader.string())
            default: try reader.skip()
            }
        }
        guard let owner else { throw MessageFault("a row has no owner") }
        if case .organization(let id, _) = owner {
            self = .organization(id: id, name: name)
        } else {
            self = owner
        }
    }
}
