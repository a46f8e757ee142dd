import Matching
import Wire

/// The settings of the saved state that change its meaning.
struct SavedSource: Sendable, Equatable {
    enum Kind: StoredEnumeration {
        case fixed, roomName, metadata, database
        static let inStoredOrder: [Kind] = [.fixed, .roomName, .metadata, .database]
    }

    var project = ""
    var region = ""
    var kind = Kind.fixed
    /// Id and name of the only organization, or the pattern of room names.
    var id = ""
    var name = ""

    init() {}

    init(_ settings: RecorderSettings, _ catalog: Catalog) {
        project = catalog.project
        region = catalog.region
        switch settings.organizationSource {
        case .fixed(let id, let name):
            self.id = id
            self.name = name
        case .roomName(let pattern):
            kind = .roomName
            id = pattern.text
        case .metadata: kind = .metadata
        case .database: kind = .database
        }
    }

    /// Returns true if the series of organizations begin with the same labels.
    func hasSeries(of other: SavedSource) -> Bool { project == other.project && region == other.region }

    /// Returns true if organizations are found in the same way.
    func finds(as other: SavedSource) -> Bool { kind == other.kind && id == other.id }

    func encode(into writer: inout MessageWriter) {
        writer.field(1, project)
        writer.field(2, region)
        writer.field(3, kind)
        writer.field(4, id)
        writer.field(5, name)
    }

    init(_ message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        while let field = try reader.next() {
            switch field {
            case 1: project = try reader.string()
            case 2: region = try reader.string()
            case 3: kind = try reader.enumeration()
            case 4: id = try reader.string()
            case 5: name = try reader.string()
            default: try reader.skip()
            }
        }
    }
}
