import Metrics
import Storage
import Wire

/// The saved form of an organization. The numbers of its open entities are not saved, but counted when it is restored.
struct SavedOrganization: Sendable {
    var organization = Organization(id: "", name: "")
    var lastEvent_ms: Int64 = 0
    var hasEventSeries = false
    var isShown = false
    var shownName: String?
    var isNamed = false
    var toldName = ""
    /// The beginning of its info metric; nil if it has none.
    var infoCreated: Timestamp?
    var series = MessageReader([])
    var usages: [SavedUsage] = []
    var sparse: [SavedSparse] = []
    /// Names of agents and reasons of their ends.
    var agents: [String] = []
    var reasons: [String] = []

    init() {}

    init(from reader: inout MessageReader) throws(MessageFault) {
        while let field = try reader.next() {
            switch field {
            case 1:
                var message = try reader.message()
                organization = try Organization(from: &message)
            case 2: lastEvent_ms = try reader.int64()
            case 3: hasEventSeries = try reader.bool()
            case 4: isShown = try reader.bool()
            case 5: shownName = try reader.string()
            case 6: isNamed = try reader.bool()
            case 7: toldName = try reader.string()
            case 8: infoCreated = Timestamp(milliseconds: try reader.int64())
            case 9: series = try reader.message()
            case 10: usages.append(try SavedUsage(from: reader.message()))
            case 11: sparse.append(try SavedSparse(from: reader.message()))
            case 12: agents.append(try reader.string())
            case 13: reasons.append(try reader.string())
            default: try reader.skip()
            }
        }
    }

    /// Returns the record of the organization, with its series.
    func state(
        _ catalog: Catalog, _ positions: SavedPositions, keepsTotals: Bool
    ) throws(MessageFault) -> OrganizationState {
        var state = OrganizationState(organization, catalog: catalog, isNamed: isNamed)
        state.lastEvent_ms = lastEvent_ms
        state.hasEventSeries = hasEventSeries
        state.isShown = isShown
        state.shownName = shownName
        state.toldName = toldName
        try state.series.restore(from: series, positions, isProcess: false, keepsTotals: keepsTotals)
        try state.resume(
            usages, sparse, agents: agents, reasons: reasons, catalog, keepsTotals: keepsTotals)
        if let shownName, let infoCreated {
            catalog.organizationInfo.show([organization.id, shownName], created: infoCreated)
        }
        return state
    }
}

extension OrganizationState {
    func encode(into writer: inout MessageWriter, _ catalog: Catalog) {
        writer.message(1) { organization.encode(into: &$0) }
        writer.field(2, lastEvent_ms)
        writer.field(3, hasEventSeries)
        writer.field(4, isShown)
        if let shownName {
            writer.element(5, shownName)
            if let info = catalog.organizationInfo.find([organization.id, shownName]) {
                writer.element(8, info.created?.milliseconds ?? 0)
            }
        }
        writer.field(6, isNamed)
        writer.field(7, toldName)
        writer.message(9) { series.encode(into: &$0) }
        encodeUsage(into: &writer, catalog)
    }
}
