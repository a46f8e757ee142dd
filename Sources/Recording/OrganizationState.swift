import Metrics
import Storage

/// The source of an organization's name.
enum OrganizationNameSource {
    case database
    /// The names of its rooms, or the settings.
    case events
    /// There is no name: the id stands for it on the page, but never replaces a name.
    case makeshift
}

/// An organization that had an event or is in a report, with its series.
struct OrganizationState: Entity {
    var organization = Organization(id: "", name: "")
    var series = InstrumentTable(prefix: [], width: .init())
    /// The series of which few occur, and those of usage.
    var sparse = SparseTable()
    var usage = UsageLedger()
    /// The numbers of pending agent jobs, by the places of the agents' names.
    var agentsPending: [Int: Int] = [:]
    /// The numbers of its open entities, at the positions of their gauges.
    var open: [Int] = []
    /// The number of open rooms and jobs. Participants and tracks are in rooms.
    var entities = 0
    /// The number of room names that belong to it.
    var names = 0
    /// The time at which its last event was received.
    var lastEvent_ms: Int64 = .min
    /// It has event-driven series.
    var hasEventSeries = false
    /// Its database-backed gauges, its limit and its info metric have series.
    var isShown = false
    /// The name in its `lk_org_info`; nil if that has no series.
    var shownName: String?
    /// It has a name, or its id in the place of one.
    var isNamed = false
    /// The name that events told, which the database is kept up to date with; empty if the database knows it better.
    var toldName = ""

    var key: String { organization.id }
    /// The first label values of all its series.
    var prefix: [String] { series.prefix }

    static let vacant = OrganizationState()

    init() {}

    init(_ organization: Organization, catalog: Catalog, isNamed: Bool) {
        self.organization = organization
        self.isNamed = isNamed
        series = catalog.table(organization: organization.id)
        open = [Int](repeating: 0, count: catalog.layout.organization.gauges)
    }

    /// Changes the number of its open entities of one kind, and the gauge that shows it.
    mutating func adjust(_ metric: Metric<Gauge>, _ offset: Int = 0, by change: Int) {
        let place = metric.base + offset
        open[place] += change
        assert(open[place] >= 0, "a set has no negative size")
        series.set(metric, offset, to: Double(open[place]))
        hasEventSeries = true
    }
}
