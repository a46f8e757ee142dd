import LiveKit
import Metrics
import Storage
import Wire

extension Recorder {
    /// Adds one to a counter of the event's organization.
    mutating func count(_ metric: Metric<Counter>, _ offset: Int = 0, of context: EventContext) {
        organizations[context.organization].series.increment(metric, offset)
        organizations[context.organization].hasEventSeries = true
    }

    /// Observes a plausible duration under the event's organization. Counts an implausible one.
    mutating func observe(
        _ metric: Metric<Histogram>, _ duration: DurationRule, _ offset: Int = 0, of context: EventContext
    ) {
        switch duration {
        case .plausible(let seconds):
            organizations[context.organization].series.observe(metric, offset, seconds)
            organizations[context.organization].hasEventSeries = true
        case .implausible:
            process.increment(catalog.implausibleDurations, context.type.ordinal)
        }
    }

    /// Returns the owner of the event's rows; nil if no rows are written.
    func owner(of context: EventContext) -> RowOwner? {
        if let failure = context.failure {
            return failure == .lookup_error ? .room(name: names[context.name].key) : nil
        }
        return owner(context.organization)
    }

    /// Returns the owner of an organization's rows; nil for `unknown`.
    func owner(_ slot: Slot<OrganizationState>) -> RowOwner? {
        if slot == unknown { return nil }
        let organization = organizations[slot]
        if organization.toldName.isEmpty, let key = organization.organization.key { return .key(key) }
        return .organization(id: organization.key, name: organization.toldName)
    }
}
