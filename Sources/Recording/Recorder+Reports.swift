import Metrics
import Storage
import Wire

// Gauges that the database knows better than the events of one process. Specification, *Background work* and "Metrics".

extension Recorder {
    mutating func take(_ report: Report) {
        switch report {
        case .activity(let window, let figures):
            guard let offset = Report.Window.ofActivity.firstIndex(of: window) else { return }
            learn(figures.keys)
            forEachShown { recorder, slot, id in
                recorder.set(recorder.catalog.uniqueParticipants, offset, slot, Double(figures[id]?.uniqueUsers ?? 0))
                recorder.set(recorder.catalog.totalOnline, offset, slot, figures[id]?.online_seconds ?? 0)
            }
        case .recordings(let window, let figures):
            guard let offset = Report.Window.allCases.firstIndex(of: window) else { return }
            learn(figures.keys)
            forEachShown { recorder, slot, id in
                recorder.set(recorder.catalog.egressCompleted, offset, slot, Double(figures[id]?.completed ?? 0))
                recorder.set(
                    recorder.catalog.egressTotalDuration, offset, slot, figures[id]?.duration_seconds ?? 0)
            }
        case .presence(let figures):
            learn(figures.keys)
            forEachShown { recorder, slot, id in
                recorder.set(recorder.catalog.participantsConnected, 0, slot, Double(figures[id] ?? 0))
            }
        case .licenses(let all): take(licenses: all)
        case .recent(let ids):
            learn(ids)
            endShown(except: ids)
        case .usageTable(let isUsable): usage.isTableUsable = isUsable
        }
    }

    private mutating func take(licenses all: [Organization]) {
        licenses.removeAll(keepingCapacity: true)
        for organization in all where Self.isOrganizationID(organization.id) {
            let slot = organizations.find(organization.id)
            if !slot.isNone && slot != unknown {
                _ = upsert(organization, named: .database)
            } else if licenses.count < Limits.licenses {
                licenses[organization.id] = organization
            }
        }
    }

    /// Makes records of organizations that only the database knows.
    private mutating func learn(_ ids: some Sequence<String>) {
        for id in ids.sorted() where Self.isOrganizationID(id) {
            var slot = organizations.find(id)
            if slot.isNone { slot = insert(id) }
            if !organizations[slot].isShown && slot != unknown { show(slot) }
        }
    }

    private mutating func forEachShown(_ body: (inout Recorder, Slot<OrganizationState>, String) -> Void) {
        for place in 0..<organizations.places_count {
            let slot = organizations.slot(at: place)
            if !slot.isNone && organizations[slot].isShown { body(&self, slot, organizations[slot].key) }
        }
    }

    private mutating func set(
        _ metric: Metric<Gauge>, _ offset: Int, _ slot: Slot<OrganizationState>, _ value: Double
    ) {
        organizations[slot].series.set(metric, offset, to: value)
    }

    /// Makes or updates the limit and the info metric of an organization.
    mutating func show(_ slot: Slot<OrganizationState>) {
        organizations[slot].isShown = true
        let organization = organizations[slot].organization
        if let limit = organization.recordingLimit_minutes {
            organizations[slot].series.set(catalog.recordingLimit, to: limit)
        }
        guard organizations[slot].isNamed, organizations[slot].shownName != organization.name else { return }
        // The old name ends before the new one begins, because two would break every join on `org_id`.
        if let old = organizations[slot].shownName { catalog.organizationInfo.end([organization.id, old]) }
        catalog.organizationInfo.show([organization.id, organization.name])
        organizations[slot].shownName = organization.name
    }

    /// Ends the database-backed series of organizations without recent rows.
    private mutating func endShown(except ids: Set<String>) {
        let settled_ms = now.milliseconds - Limits.rowOnItsWay_ms
        for place in 0..<organizations.places_count {
            let slot = organizations.slot(at: place)
            if slot.isNone || !organizations[slot].isShown || ids.contains(organizations[slot].key) { continue }
            if organizations[slot].entities > 0 || organizations[slot].lastEvent_ms > settled_ms { continue }
            organizations[slot].isShown = false
            catalog.end(.database, in: &organizations[slot].series)
            if let name = organizations[slot].shownName {
                catalog.organizationInfo.end([organizations[slot].key, name])
                organizations[slot].shownName = nil
            }
        }
    }
}
