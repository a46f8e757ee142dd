import Exporter
import LiveKit
import Metrics
import Recording
import Storage
import Wire

/// A recorder with its registry, used as the recorder's thread uses it: the actions of each event are taken at once.
final class BenchFixture {
    let registry: Registry
    private(set) var recorder: Recorder
    private var actions: [Action] = []

    init(_ source: OrganizationSource) {
        registry = Registry(maxSeries: 1_000_000)
        recorder = Recorder(settings: Self.settings(source), catalog: Self.catalog(registry))
    }

    /// Restores a saved recorder.
    init(_ state: [UInt8], _ ids: [IDSegment], _ source: OrganizationSource) throws(StateFault) {
        registry = Registry(maxSeries: 1_000_000)
        recorder = try Recorder(
            restoring: MessageReader(state), ids: ids, keepsTotals: true, settings: Self.settings(source),
            catalog: Self.catalog(registry))
    }

    private static func settings(_ source: OrganizationSource) -> RecorderSettings {
        guard var settings = try? StandardSettings.all.recorder() else {
            preconditionFailure("the default organization needs no pattern")
        }
        settings.organizationSource = source
        return settings
    }

    private static func catalog(_ registry: Registry) -> Catalog {
        Catalog(in: registry, longBuckets: false, project: "default", region: "local")
    }

    /// Applies one event. A lookup of an organization is answered at once, as a database would answer it later.
    func apply(_ event: Event, at now: Timestamp) {
        recorder.apply(.event(event, receivedAt: now), into: &actions)
        if actions.isEmpty { return }
        var questions: [String] = []
        for action in actions {
            switch action {
            case .lookUp(let room): questions.append(room)
            case .store(let row): blackHole(row)
            case .removeParticipant, .withdrawRemoval, .tellUnknown: break
            }
        }
        actions.removeAll(keepingCapacity: true)
        for room in questions {
            let id = String(room.prefix { $0 != "~" })
            recorder.apply(.answer(room: room, .success(Organization(id: id, name: id)), at: now), into: &actions)
        }
        actions.removeAll(keepingCapacity: true)
    }

    /// Writes what a snapshot holds: the state, and the ids since the last call.
    func save(into writer: inout MessageWriter) -> [IDSegment] {
        recorder.encodeState(into: &writer)
        return recorder.takeIDs()
    }

    func apply(_ result: PollResult, at now: Timestamp) {
        recorder.apply(.poll(result, at: now), into: &actions)
        actions.removeAll(keepingCapacity: true)
    }

    func tick(at now: Timestamp) {
        recorder.apply(.time(at: now), into: &actions)
        actions.removeAll(keepingCapacity: true)
    }

    /// Reports these organizations as the database does, for all windows.
    func report(organizations: [String], at now: Timestamp) {
        var reports: [Report] = [.presence(Dictionary(uniqueKeysWithValues: organizations.map { ($0, 5) }))]
        for window in Report.Window.allCases {
            let activity = organizations.map { ($0, Report.Activity(uniqueUsers: 5, online_seconds: 3_600)) }
            reports.append(.activity(window, Dictionary(uniqueKeysWithValues: activity)))
            let recordings = organizations.map { ($0, Report.Recordings(completed: 1, duration_seconds: 60)) }
            reports.append(.recordings(window, Dictionary(uniqueKeysWithValues: recordings)))
        }
        reports.append(.licenses(organizations.map { Organization(id: $0, name: $0, recordingLimit_minutes: 60) }))
        for report in reports { recorder.apply(.report(report, at: now), into: &actions) }
        actions.removeAll(keepingCapacity: true)
    }
}
