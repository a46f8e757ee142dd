import Metrics
import Storage
import Wire

extension Recorder {
    /// Counts one of the event's organization.
    mutating func count(_ metric: Metric<Counter>, _ offset: Int = 0, of context: EventContext) {
        organizations[context.organization].series.increment(metric, offset)
        organizations[context.organization].hasEventSeries = true
    }

    /// Observes a plausible duration under the event's organization, else counts that it is none.
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

    /// Whose rows the event's are; nil where none are written.
    func owner(of context: EventContext) -> RowOwner? {
        if let failure = context.failure {
            return failure == .lookup_error ? .room(name: names[context.name].key) : nil
        }
        return owner(context.organization)
    }

    /// Whose rows those of an organization are; nil for `unknown`.
    func owner(_ slot: Slot<OrganizationState>) -> RowOwner? {
        if slot == unknown { return nil }
        let organization = organizations[slot]
        if organization.toldName.isEmpty, let key = organization.organization.key { return .key(key) }
        return .organization(id: organization.key, name: organization.toldName)
    }
}
