import Metrics
import Storage

/// Who says what an organization is called.
enum OrganizationNameSource {
    case database
    /// The names of its rooms, or the settings.
    case events
    /// Nobody: its id stands for it on the page, but replaces no name.
    case makeshift
}

/// An organization that has had an event or is in a report, with its series.
struct OrganizationState: Entity {
    var organization = Organization(id: "", name: "")
    var series = InstrumentTable(prefix: [], width: .init())
    /// The sizes of its sets of open entities, in the places of their gauges.
    var open: [Int] = []
    /// Open rooms and jobs; participants and tracks are in rooms.
    var entities = 0
    /// Room names that belong to it.
    var names = 0
    /// When its last event was received.
    var lastEvent_ms: Int64 = .min
    /// It has event-driven series.
    var hasEventSeries = false
    /// Its database-backed gauges, limit and info are shown.
    var isShown = false
    /// The name in its `lk_org_info`, nil where that is not shown.
    var shownName: String?
    /// It has a name, be it a makeshift.
    var isNamed = false
    /// The name that events told, which the database is kept current with; empty where the database knows better.
    var toldName = ""

    var key: String { organization.id }

    static let vacant = OrganizationState()

    init() {}

    init(_ organization: Organization, catalog: Catalog, isNamed: Bool) {
        self.organization = organization
        self.isNamed = isNamed
        series = catalog.table(organization: organization.id)
        open = [Int](repeating: 0, count: catalog.layout.organization.gauges)
    }

    /// Changes the size of one of its sets, and the gauge that shows it.
    mutating func adjust(_ metric: Metric<Gauge>, _ offset: Int = 0, by change: Int) {
        let place = metric.base + offset
        open[place] += change
        assert(open[place] >= 0, "a set has no negative size")
        series.set(metric, offset, to: Double(open[place]))
        hasEventSeries = true
    }
}
