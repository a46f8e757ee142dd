package import Metrics

/// Every metric of the recorder: the 28 families of the contract, and those about itself.
///
/// To add one, declare it here: family, label values, the lines of the page, the pushed series and the end of its
/// series follow from the declaration. The offset of an update is the place of its label values in `MetricLabels`.
package struct Catalog: Sendable {
    // Rooms
    let roomsActive = Metric<Gauge>("lk_room_active", "Rooms that are open now.", per: .events)
    let roomsStarted = Metric<Counter>("lk_rooms_started_total", "Rooms that started.", per: .events)
    let roomsFinished = Metric<Counter>("lk_rooms_finished_total", "Rooms that finished.", per: .events)
    let roomDuration = Metric<Histogram>(
        "lk_room_duration_seconds", "Time from the start to the end of a room, in seconds.", per: .events,
        bounds: .room)

    // Participants
    let participantsActive = Metric<Gauge>(
        "lk_participants_active", "Participants of kind STANDARD that are connected now.", per: .events)
    let participantSessions = Metric<Counter>(
        "lk_participant_sessions_total", "Participants of kind STANDARD that joined.", per: .events)
    let participantLifetime = Metric<Histogram>(
        "lk_participant_lifetime_seconds",
        "Time from joining to leaving of a participant of kind STANDARD, in seconds.", per: .events, bounds: .session)
    let uniqueParticipants = Metric<Gauge>(
        "lk_unique_participants", "Distinct users who were online in the window, from the database.", per: .database,
        by: .activityWindow)
    let totalOnline = Metric<Gauge>(
        "lk_participant_total_online_seconds",
        "Time that all users together were online in the window, from the database, in seconds.", per: .database,
        by: .activityWindow)
    let participantsConnected = Metric<Gauge>(
        "lk_participants_connected", "Participants that are connected now, from the database.", per: .database)

    // Tracks
    let tracksActive = Metric<Gauge>("lk_tracks_active", "Tracks that are published now.", per: .events, by: .track)
    let tracksPublished = Metric<Counter>(
        "lk_tracks_published_total", "Tracks that were published.", per: .events, by: .track)

    // Egress
    let egressActive = Metric<Gauge>(
        "lk_egress_active", "Recording and streaming jobs that are running now.", per: .events, by: .requestType)
    let egressStarted = Metric<Counter>(
        "lk_egress_started_total", "Recording and streaming jobs that started.", per: .events, by: .requestType)
    let egressEnded = Metric<Counter>(
        "lk_egress_ended_total", "Recording and streaming jobs that ended.", per: .events, by: .requestTypeAndResult)
    let egressDuration = Metric<Histogram>(
        "lk_egress_duration_seconds", "Length of the media that a recording or streaming job made, in seconds.",
        per: .events, by: .requestTypeAndResult, bounds: .job)
    let egressCompleted = Metric<Gauge>(
        "lk_egress_completed", "Recordings completed in the window, from the database.", per: .database,
        by: .recordingWindow)
    let egressTotalDuration = Metric<Gauge>(
        "lk_egress_total_duration_seconds",
        "Length of all recordings completed in the window, from the database, in seconds.", per: .database,
        by: .recordingWindow)

    // Ingress
    let ingressActive = Metric<Gauge>(
        "lk_ingress_active", "Streams that are imported now.", per: .events, by: .inputType)
    let ingressStarted = Metric<Counter>(
        "lk_ingress_started_total", "Imported streams that started.", per: .events, by: .inputType)
    let ingressEnded = Metric<Counter>(
        "lk_ingress_ended_total", "Imported streams that ended.", per: .events, by: .inputTypeAndResult)
    let ingressDuration = Metric<Histogram>(
        "lk_ingress_duration_seconds", "Time from the start to the end of an imported stream, in seconds.",
        per: .events, by: .inputTypeAndResult, bounds: .job)

    // Organizations
    let recordingLimit = Metric<Gauge>(
        "lk_org_recording_limit_minutes", "Minutes of recording per month that the organization's licence allows.",
        per: .database)
    let organizationInfo = InfoMetric(
        "lk_org_info", "Name of an organization, always 1.", labels: ["org_id", "org_name"])

    // Webhooks
    let webhookEvents = Metric<Counter>(
        "lk_webhook_events_total", "Webhook events applied, duplicates not counted.", per: .process, by: .event)
    let webhookDuplicates = Metric<Counter>(
        "lk_webhook_duplicates_total", "Webhook events that had been received before.", per: .process, by: .event)
    let webhookLag = Metric<Histogram>(
        "lk_webhook_delivery_lag_seconds",
        "Time from the creation of a webhook event to its receipt, in seconds; creation is known to a whole second.",
        per: .process, by: .event, bounds: .lag)
    let lookupFailures = Metric<Counter>(
        "lk_org_lookup_failures_total", "Events whose organization could not be found.", per: .process, by: .reason)

    // The recorder itself
    let implausibleDurations = Metric<Counter>(
        "lkpush_implausible_durations_total",
        "Durations below -2 seconds or above 7 days, which are neither observed nor stored.", per: .process,
        by: .event)
    let entitiesDropped = Metric<Counter>(
        "lkpush_entities_dropped_total", "Entities given up because their room had no event for STATE_MAX_SILENCE.",
        per: .process, by: .entity)
    let entitiesCorrected = Metric<Counter>(
        "lkpush_entities_corrected_total", "Rooms, participants and tracks that were closed without their own end.",
        per: .process, by: .correction)
    let reconcileCorrections = Metric<Counter>(
        "lkpush_reconcile_corrections_total",
        "Entities that were opened or closed because LiveKit's API says so.", per: .process, by: .entityAndAction)
    let entities = Metric<Gauge>(
        "lkpush_entities", "Entities that are open now, of every kind.", per: .process, by: .entity)
    let waitingEvents = Metric<Gauge>(
        "lkpush_waiting_events", "Events that wait for the organization of their room.", per: .process)
    let waitReleases = Metric<Counter>(
        "lkpush_wait_releases_total", "Rooms whose waiting events were applied before their organization was known.",
        per: .process, by: .release)
    let lookups = Metric<Counter>(
        "lkpush_lookups_total", "Questions to the database for the organization of a room.", per: .process)
    let idsForgotten = Metric<Counter>(
        "lkpush_ids_forgotten_total", "Ids of events and ended entities forgotten early because there were too many.",
        per: .process)
    let namesForgotten = Metric<Counter>(
        "lkpush_room_names_forgotten_total", "Closed rooms whose organization was forgotten early: too many names.",
        per: .process)

    let usageAhead = Metric<Gauge>(
        "lkpush_usage_ahead_seconds",
        "Time that usage series show although ends came that were earlier; later growth makes up for it.",
        per: .process,
        by: .usage)
    let usageUncertain = Metric<Counter>(
        "lkpush_uncertain_seconds_total",
        "Time that usage series had shown and that nothing proved: after the last evidence of what ended unseen.",
        per: .process, by: .usage)
    let usageRowsWaiting = Metric<Gauge>(
        "lkpush_usage_rows_waiting", "Rows of usage kept until the database has the table lkpush_usage_daily.",
        per: .process)
    let usageRowsLost = Metric<Counter>(
        "lkpush_usage_rows_lost_total", "Rows of usage given up because too many waited for the database.",
        per: .process)

    // Connections, of every kind
    let connectionsActive = SparseMetric<Gauge>(
        "lk_connections_active", "Participants of every kind that are connected now.", by: .kind)
    let connections = SparseMetric<Counter>(
        "lk_connections_total", "Participants of every kind that joined.", by: .kind)
    let connectionSeconds = SparseMetric<Counter>(
        "lk_connection_seconds_total", "Time that participants were connected, counted while it passes, in seconds.",
        by: .kind, cadence: .usage)
    let billedMinutes = SparseMetric<Counter>(
        "lk_connection_billed_minutes_total", "Minutes of ended connections, each rounded up to whole minutes.",
        by: .kind, cadence: .usage)
    let connectionsEnded = SparseMetric<Counter>(
        "lk_connections_ended_total", "Participants that left, by the reason that LiveKit tells.", by: .kindAndReason)
    let connectionsAborted = SparseMetric<Counter>(
        "lk_connections_aborted_total", "Participants whose connection was aborted, by the reason that LiveKit tells.",
        by: .kindAndReason)
    let roomsEnded = SparseMetric<Counter>(
        "lk_rooms_ended_total", "Rooms that ended, by the reason, where the server tells it.", by: .roomEndReason)
    let trackSeconds = SparseMetric<Counter>(
        "lk_track_seconds_total", "Time that tracks were published, counted while it passes, in seconds.", by: .track,
        cadence: .usage)

    // What jobs came to
    let egressSeconds = SparseMetric<Counter>(
        "lk_egress_seconds_total", "Time of recordings and streams out, counted while it passes, in seconds.",
        by: .requestType, cadence: .usage)
    let egressBytes = SparseMetric<Counter>(
        "lk_egress_bytes_total", "Size of the files and segments that recordings made, in bytes.", by: .requestType)
    let egressRetries = SparseMetric<Counter>(
        "lk_egress_retries_total", "Attempts of recording and streaming jobs after the first one.", by: .requestType)
    let egressResults = SparseMetric<Counter>(
        "lk_egress_results_total", "Recording and streaming jobs that ended, by LiveKit's status.",
        by: .requestTypeAndStatus)
    let egressErrors = SparseMetric<Counter>(
        "lk_egress_errors_total", "Recording and streaming jobs that failed, by the class of their error code.",
        by: .requestTypeAndCode)
    let ingressSeconds = SparseMetric<Counter>(
        "lk_ingress_seconds_total", "Time of imported streams, counted while it passes, in seconds.", by: .inputType,
        cadence: .usage)

    // Agents and calls
    let agentJobsActive = SparseMetric<Gauge>(
        "lk_agent_jobs_active", "Agent jobs that are running now.", byAgent: true)
    let agentJobsPending = SparseMetric<Gauge>(
        "lk_agent_jobs_pending", "Agent jobs that wait for an agent now.", byAgent: true)
    let agentJobsStarted = SparseMetric<Counter>(
        "lk_agent_jobs_started_total", "Agent jobs that started.", byAgent: true)
    let agentJobSeconds = SparseMetric<Counter>(
        "lk_agent_job_seconds_total", "Time of agent jobs, counted while it passes, in seconds.", byAgent: true,
        cadence: .usage)
    let agentJobsEnded = SparseMetric<Counter>(
        "lk_agent_jobs_ended_total", "Agent jobs that ended, by result and the reason that LiveKit tells.",
        by: AgentResult.labels, byAgent: true, byReason: true)
    let agentJobWait = SparseMetric<Histogram>(
        "lk_agent_job_wait_seconds", "Time from the request of an agent job to its start, in seconds.", byAgent: true,
        bounds: .wait)
    let sipCallsActive = SparseMetric<Gauge>(
        "lk_sip_calls_active", "Calls that are connected now.", by: .direction)
    let sipCalls = SparseMetric<Counter>("lk_sip_calls_total", "Calls that were connected.", by: .direction)
    let sipCallSeconds = SparseMetric<Counter>(
        "lk_sip_call_seconds_total", "Time of calls, counted while it passes, in seconds.", by: .direction,
        cadence: .usage)

    let project: String
    let region: String
    /// The clock that gives new series their beginning.
    let clock = RecorderClock()
    private(set) var layout = InstrumentLayout()
    /// All metrics, in the order of their declaration.
    private(set) var all: [any MetricDeclaration] = []
    /// The metrics of an organization.
    private(set) var ofOrganizations: [any MetricDeclaration] = []
    /// The metrics of organizations of which few series occur.
    private(set) var sparse: [any SparseDeclaration] = []

    /// Declares all metrics in `registry`, once per registry.
    ///
    /// - Parameter longBuckets: appends 7200, 14400 and 28800 to the buckets of rooms and sessions.
    package init(in registry: Registry, longBuckets: Bool, project: String, region: String) {
        self.project = project
        self.region = region
        for child in Mirror(reflecting: self).children {
            if let metric = child.value as? any MetricDeclaration {
                metric.bind(in: registry, clock: clock, layout: &layout, longBuckets: longBuckets)
                all.append(metric)
                if metric.scope != .process { ofOrganizations.append(metric) }
            } else if let metric = child.value as? any SparseDeclaration {
                metric.bind(in: registry, clock: clock, place: sparse.count)
                sparse.append(metric)
            } else if let info = child.value as? InfoMetric {
                info.bind(in: registry, clock: clock)
            }
        }
    }

    /// Makes the empty table of one organization.
    func table(organization id: String) -> InstrumentTable {
        InstrumentTable(prefix: [project, region, id], width: layout.organization)
    }

    /// Makes the empty table of the process.
    func processTable() -> InstrumentTable { InstrumentTable(prefix: [], width: layout.process) }

    /// Ends every series, because their recorder is given up.
    package func endAll() {
        for metric in all { metric.endAll() }
        for metric in sparse { metric.endAll() }
        organizationInfo.endAll()
    }

    /// The counter of the time of a usage.
    func usageSeconds(_ kind: UsageKind) -> SparseMetric<Counter> {
        switch kind {
        case .connection: connectionSeconds
        case .track: trackSeconds
        case .egress: egressSeconds
        case .ingress: ingressSeconds
        case .agent: agentJobSeconds
        case .sip: sipCallSeconds
        }
    }

    /// The gauge of what is open of a usage; nil if the gauge is another metric.
    func usageActive(_ kind: UsageKind) -> SparseMetric<Gauge>? {
        switch kind {
        case .connection: connectionsActive
        case .agent: agentJobsActive
        case .sip: sipCallsActive
        case .track, .egress, .ingress: nil
        }
    }

    /// Ends all series of a scope that the table has made.
    func end(_ scope: MetricScope, in table: inout InstrumentTable) {
        for metric in ofOrganizations where metric.scope == scope { metric.end(in: &table) }
    }
}
