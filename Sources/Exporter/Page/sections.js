// The sections that are names, figures and plots: webhooks, journal, rooms and people, database, process.

/** A reading of a text; an empty one hides the fact. */
function words(text, tone = "") { return asText(text) === "" ? null : { text: asText(text), exact: "", tone }; }

/** A total that should not grow. It has its tone as long as it grew lately. */
function troubles(value, last, now, tone = "warning") {
  return count(value, value > 0 && isRecent(last, now) ? tone : "");
}

/** The time of the newest item of a list. */
function newest(list, field) { return Math.max(0, ...asList(list).map(item => asTime(item[field]) ?? 0)); }

/** A figure and its bound. */
function ofMost(reading, most) {
  if (reading === notKnown || most === notKnown) return reading;
  return { ...reading, text: `${reading.text} of ${most.text}`, exact: `${reading.exact} of ${most.exact}` };
}

const webhookFacts = [
  fact("Rate", "events of the last 15 s", intake => perSecond(intake.events_per_second)),
  fact("Last event", "when the last event was taken", (intake, _, now) =>
    age(intake.last_event_timestamp_seconds, now)),
  fact("Lag", "mean time from the creation of an event to its receipt, over the last minute", intake =>
    duration(intake.delivery_lag_seconds)),
  fact("Queue", "events between listener and recorder, of QUEUE_SIZE", intake =>
    ofMost(count(intake.queue_events), count(intake.queue_capacity_events))),
  fact("Requests waiting", "requests that wait for room in the queue", intake =>
    count(intake.requests_waiting, intake.requests_waiting > 0 ? "warning" : "")),
  fact("Connections", "open connections of the public listener", intake => count(intake.connections)),
  fact("Events", "events applied, duplicates not counted", intake => count(intake.events_total)),
  fact("Repeated", "events that had been received before", intake => count(intake.duplicates_total)),
  fact("Refused", "requests that were refused", (intake, _, now) => refused(intake, now)),
  fact("Listens on", "where webhooks are taken", intake => words(intake.listen_address)),
];

function refused(intake, now) {
  return troubles(intake.rejected_total, newest(intake.rejections, "last_timestamp_seconds"), now);
}

const recorderFacts = [
  fact("Rooms", "rooms that are open", recorder => count(recorder.rooms)),
  fact("Participants", "participants of kind STANDARD that are connected", recorder => count(recorder.participants)),
  fact("Tracks", "tracks that are published", recorder => count(recorder.tracks)),
  fact("Egresses", "recordings and streams that run", recorder => count(recorder.egresses)),
  fact("Ingresses", "streams that are imported", recorder => count(recorder.ingresses)),
  fact("Organizations", "organizations that have rooms, people or jobs now", (_, status) =>
    count(asObject(status.organizations).total)),
  fact("Events waiting", "events that wait for the organization of their room", recorder =>
    count(recorder.waiting_events)),
  fact("Lookup failures", "events whose organization could not be found", (recorder, _, now) =>
    troubles(recorder.lookup_failures_total, newest(recorder.unknown_rooms, "last_timestamp_seconds"), now)),
];

const usageFacts = [
  wideFact("Connected", "connections that are open, by kind", usage => words(byKind(usage, "active") || "nobody")),
  fact("Minutes today", "minutes that connections lasted today (UTC), as far as this process saw it", usage =>
    minutes(usage.connection_minutes_today)),
  fact("Counted from", "midnight UTC, or the start of this process", (usage, _, now) =>
    age(usage.today_since_timestamp_seconds, now)),
  wideFact("Minutes by kind", "today's minutes of each kind", usage => words(byKind(usage, "minutes_today"))),
  fact("Agents", "agents that work", usage => count(usage.agent_jobs_running)),
  fact("Agents waiting", "jobs that wait for an agent", usage =>
    count(usage.agent_jobs_pending, usage.agent_jobs_pending > 0 ? "warning" : "")),
  fact("Calls", "calls by telephone that are open", usage => count(usage.calls)),
  fact("Ahead", "what was shown before ends that were reported late; later growth pays it", usage =>
    duration(usage.ahead_seconds)),
  fact("Uncertain", "usage of which nobody knows whether it was used, since the start", usage =>
    duration(usage.uncertain_seconds_total)),
  fact("Table", "lkpush_usage_daily, which lkpush report reads", usage => usage.table_withheld === true
    ? { text: "cannot be used", exact: "", tone: "warning" } : { text: "can be used", exact: "", tone: "ok" }),
  fact("Rows waiting", "rows of usage that wait for that table", usage => count(usage.rows_waiting)),
  fact("Rows lost", "rows of usage given up", (usage, _, now) =>
    troubles(usage.rows_lost_total, usage.last_row_lost_timestamp_seconds, now, "critical")),
];

/** Minutes are not turned into hours or days: invoices count minutes. */
function minutes(value) {
  const number = asNumber(value);
  return number === null ? notKnown : { text: `${wholeNumbers.format(number)} min`, exact: `${number} min`, tone: "" };
}

/** The kinds of which a field is not 0: `1,200 standard, 10 agent`. */
function byKind(usage, field) {
  const some = asList(usage.connections).filter(kind => kind[field] > 0);
  return some.map(kind => `${wholeNumbers.format(kind[field])} ${asText(kind.kind)}`).join(", ");
}

const journalFacts = [
  fact("State", "whether the journal can be written", journal => journalState(journal)),
  fact("Durability", "DURABILITY", journal => words(journal.durability)),
  fact("Commit", "mean time of a commit over the last minute", journal => duration(journal.commit_seconds)),
  fact("Events", "events committed since the start", journal => count(journal.events_total)),
  fact("Size", "what it takes on disk, of JOURNAL_MAX_BYTES", journal =>
    ofMost(byteCount(journal.size_bytes), byteCount(journal.size_max_bytes))),
  fact("Snapshot", "when the last snapshot was made, and its size", (journal, _, now) => snapshot(journal, now)),
  fact("Free disk", "what may still be written to the file system of STATE_DIR", journal =>
    ofMost(byteCount(journal.disk_free_bytes), byteCount(journal.disk_size_bytes))),
  wideFact("Directory", "STATE_DIR", journal => words(journal.directory)),
  wideFact("Error", "why it cannot be written", journal => words(journal.error, "critical")),
];

function journalState(journal) {
  if (journal.up === true) return { text: "written", exact: "", tone: "ok" };
  if (journal.up === false) return { text: "cannot be written", exact: "", tone: "critical" };
  return { text: "none on disk", exact: "", tone: "quiet" };
}

function snapshot(journal, now) {
  const made = age(journal.snapshot_timestamp_seconds, now);
  if (made.time === undefined) return made;
  const size = byteCount(journal.snapshot_size_bytes);
  return { ...made, text: `${made.text}, ${size.text}`, exact: `${made.exact}, ${size.exact}` };
}

const databaseFacts = [
  fact("State", "whether it is connected", database => databaseState(database)),
  fact("Engine", "the kind of database", database => words(database.engine)),
  fact("Fails since", "", (database, _, now) =>
    asTime(database.failing_since_timestamp_seconds) === null
      ? null : age(database.failing_since_timestamp_seconds, now, "warning")),
  fact("Rows waiting", "rows that wait for the database", database => count(database.rows_waiting)),
  fact("Rows written", "rows written", database => count(database.rows_written_total)),
  fact("Rows lost", "rows given up", (database, _, now) =>
    troubles(database.rows_lost_total, database.last_row_lost_timestamp_seconds, now, "critical")),
  fact("Errors", "operations that failed", database => count(database.errors_total)),
  fact("Dead letters", "rows that it refused, kept in the journal", (database, _, now) =>
    troubles(database.dead_letters, newest(database.last_dead_letters, "timestamp_seconds"), now)),
  fact("Dead letters dropped", "refused rows that were deleted to make room for later ones", database =>
    database.dead_letters_dropped_total > 0 ? count(database.dead_letters_dropped_total) : null),
  wideFact("Address", "without user and password", database => words(database.url)),
  wideFact("Fails", "the operations that fail now", database =>
    words(asList(database.failing_operations).map(asText).join(", "), "warning")),
  wideFact("Error", "why it does not work, or what it fails", database => words(database.error, "critical")),
];

function databaseState(database) {
  if (database.up !== true) return { text: "not connected", exact: "", tone: "critical" };
  return asText(database.error) === ""
    ? { text: "connected", exact: "", tone: "ok" } : { text: "connected, fails", exact: "", tone: "warning" };
}

const reconciliationFacts = [
  fact("State", "whether lkpush and LiveKit's API agree", polls => reconciliationState(polls)),
  fact("Last success", "when all lists of a poll last came", (polls, _, now) =>
    asTime(polls.last_success_timestamp_seconds) === null
      ? { ...notKnown, text: "not yet" } : age(polls.last_success_timestamp_seconds, now)),
  fact("Differs since", "since when each poll has found a difference", (polls, _, now) =>
    asTime(polls.differs_since_timestamp_seconds) === null
      ? null : age(polls.differs_since_timestamp_seconds, now, "warning")),
  fact("Failures", "failed polls since the last success", polls =>
    polls.failures > 0 ? count(polls.failures, "warning") : null),
  fact("Interval", "RECONCILE_INTERVAL", polls => duration(polls.interval_seconds)),
  wideFact("Missing", "what LiveKit has and lkpush has not; it is adopted when polls agree", polls =>
    differences(polls, "missing")),
  wideFact("Extra", "what lkpush has and LiveKit has not; it is closed when polls agree", polls =>
    differences(polls, "extra")),
  wideFact("Ghosts", "what LiveKit still lists though it has ended; they are not counted", polls =>
    differences(polls, "ghosts")),
  wideFact("Doubt", "why the lists of the last poll are suspicious, so that they correct nothing, or later", polls =>
    words(polls.doubt, "warning")),
  wideFact("Address", "LIVEKIT_URL", polls => words(polls.url)),
  wideFact("Fails", "why the last poll failed", polls => words(polls.cause, "warning")),
];

function reconciliationState(polls) {
  if (polls.failures > 0) return { text: "cannot be asked", exact: "", tone: "warning" };
  if (asTime(polls.last_success_timestamp_seconds) === null) return { text: "not asked yet", exact: "", tone: "quiet" };
  return asList(polls.entities).some(({ missing, extra }) => missing > 0 || extra > 0)
    ? { text: "differs", exact: "", tone: "warning" } : { text: "agrees", exact: "", tone: "ok" };
}

/** The entities of which a field is not 0: `room 3, participant 12`. */
function differences(polls, field) {
  const some = asList(polls.entities).filter(entity => entity[field] > 0);
  const text = some.map(entity => `${asText(entity.entity)} ${count(entity[field]).text}`).join(", ");
  return words(text === "" ? "none" : text);
}

const replicaFacts = [
  fact("Leader", "the replica that counts, writes rows and pushes shared series", replica => leaderReading(replica)),
  fact("This replica", "its host name, and whether it leads", replica =>
    words(`${asText(replica.name)}, ${replica.leads === true ? "leads" : "stands by"}`)),
  fact("Leads since", "when the lead was taken", (replica, _, now) =>
    asTime(replica.since_timestamp_seconds) === null ? null : age(replica.since_timestamp_seconds, now)),
  fact("Epoch", "how often the lead was taken", replica => count(replica.epoch)),
  fact("Last event", "the number of the last event in the shared log", replica => count(replica.last_event)),
  fact("Behind", "events in the log that no leader has applied yet", replica => count(replica.events_behind)),
  fact("Last contact", "the time since this replica read the lease", replica =>
    duration(replica.contact_age_seconds, asText(replica.error) === "" ? "" : "warning")),
  fact("Log", "whether this replica can append to the log", replica => logReading(replica)),
  fact("Fails since", "", (replica, _, now) => asTime(replica.log_failing_since_timestamp_seconds) === null
    ? null : age(replica.log_failing_since_timestamp_seconds, now, "warning")),
  fact("Waiting", "events that wait in STATE_DIR for the log, and their size", replica => {
    const waiting = count(replica.spilled_events, replica.spilled_events > 0 ? "warning" : "");
    if (!(replica.spilled_events > 0)) return waiting;
    const size = byteCount(replica.spilled_size_bytes);
    return { ...waiting, text: `${waiting.text}, ${size.text}`, exact: `${waiting.exact}, ${size.exact}` };
  }),
  fact("Lost", "events in STATE_DIR that could not be read any more", (replica, _, now) =>
    replica.spill_lost_events_total > 0
      ? troubles(replica.spill_lost_events_total, replica.last_spill_loss_timestamp_seconds, now, "critical") : null),
  wideFact("May not lead", "why this replica may not lead", replica => words(replica.reason, "warning")),
  wideFact("Lease", "why the lease cannot be read", replica => words(replica.error, "warning")),
  wideFact("Error", "why the log cannot be reached", replica => words(replica.log_error, "critical")),
  wideFact("STATE_DIR", "why it can keep no events", replica => words(replica.spill_error, "warning")),
];

function leaderReading(replica) {
  if (asText(replica.holder) !== "") return { text: asText(replica.holder), exact: "", tone: "ok" };
  return asNumber(replica.contact_age_seconds) !== null && asText(replica.error) === ""
    ? { text: "none", exact: "", tone: "critical" } : notKnown;
}

function logReading(replica) {
  if (replica.log_up === true) return { text: "takes events", exact: "", tone: "ok" };
  if (replica.log_up === false) return { text: "cannot be reached", exact: "", tone: "critical" };
  return { text: "not tried yet", exact: "", tone: "quiet" };
}

/** Why a replica that does not lead has no such figures; nothing where it leads, or has a journal of its own. */
function standbyWords(status) {
  const replica = asObject(status.replicas);
  if (replica.leads !== false) return "";
  const holder = visible(replica.holder);
  return holder === "" ? "The replica that leads has these." : `${beginning(holder, 80)} leads, and has these.`;
}

const processFacts = [
  fact("Memory", "resident memory", program => byteCount(program.resident_memory_bytes)),
  fact("Processor", "processor time of the last seconds; 100 % is a whole core", program => percent(program.cpu_ratio)),
  fact("Descriptors", "open descriptors, of the most that the system allows", program =>
    ofMost(count(program.open_fds), count(program.max_fds))),
  fact("Series", "series of the registry, of MAX_SERIES", program =>
    ofMost(count(program.series), count(program.series_max))),
  fact("Series refused", "series refused because MAX_SERIES was reached", (program, _, now) =>
    troubles(program.series_refused_total, program.last_series_refused_timestamp_seconds, now, "critical")),
  fact("Log level", "SIGUSR1 switches debug on and off", program => words(program.log_level)),
  fact("Log lines dropped", "log lines given up", program => count(program.log_lines_dropped_total)),
  fact("Job", "the label job", program => words(program.job)),
  fact("Process id", "the id of the process", program => ({ text: asText(program.process_id) || "not known" })),
  fact("Started", "when the process started", (program, _, now) => age(program.started_timestamp_seconds, now)),
  wideFact("Clock", "how far the clock of this machine is from others, for certain", program =>
    words(asList(program.clocks).map(clockWords).join(", "))),
];

function clockWords(clock) {
  const ahead = asNumber(clock.ahead_seconds) ?? 0;
  const peer = asText(clock.against);
  if (ahead === 0) return `as ${peer}`;
  return `${durationText(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"} ${peer}`;
}

/** The plots of the process that belong to a section; what is in no list is shown under Process. */
const plotPlaces = {
  webhooks: ["events_per_second", "rejected_per_second", "delivery_lag_seconds", "queue_events"],
  recorder: ["participants", "rooms", "tracks"],
  journal: ["journal_commit_seconds", "disk_free_bytes"],
  database: ["rows_waiting"],
  reconciliation: [],
  replicas: [],
  usage: [],
};

function plotsOf(sectionName, plots) {
  const places = Object.values(plotPlaces).flat();
  return plots.filter(plot => sectionName === "process"
    ? !places.includes(plot.name) : plotPlaces[sectionName].includes(plot.name));
}

/** A section of facts and plots. `absence` tells why it has none, or nothing where it has. */
class FactSection {
  constructor(name, facts, field, absence = () => "") {
    this.name = name;
    this.field = field;
    this.absence = absence;
    this.element = byID(name);
    this.list = byID(`${name}-facts`);
    this.facts = new FactList(this.list, facts);
    this.plots = new PlotGrid(byID(`${name}-plots`));
    this.action = new ActionView();
    this.list.before(this.action.element);
  }

  update(status, now) {
    const why = this.absence(status[this.field], status);
    setHidden(this.list, why !== "");
    if (this.element.querySelector("p.quiet")) setQuietLine(this.element, why);
    if (why === "") this.facts.update(asObject(status[this.field]), status, now);
    this.action.update(asObject(status[this.field]).action);
    const history = asObject(status.history);
    this.plots.update(why === "" ? plotsOf(this.name, asList(history.plots)) : [], history);
  }
}

function factSections() {
  return [
    new FactSection("webhooks", webhookFacts, "intake"),
    new FactSection("replicas", replicaFacts, "replicas"),
    new FactSection("recorder", recorderFacts, "recorder", (_, status) => standbyWords(status)),
    new FactSection("usage", usageFacts, "usage", (usage, status) =>
      standbyWords(status) || (usage ? "" : "The state is being restored.")),
    new FactSection("journal", journalFacts, "journal", (journal, status) =>
      standbyWords(status) || (journal ? "" : "The state is being restored.")),
    new FactSection("database", databaseFacts, "database", (database, status) =>
      standbyWords(status) || (asText(database?.engine) === "" ? "No database is configured." : "")),
    new FactSection("reconciliation", reconciliationFacts, "reconciliation"),
    new FactSection("process", processFacts, "lkpush"),
  ];
}
