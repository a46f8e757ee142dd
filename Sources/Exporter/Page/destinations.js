// The receivers of remote write.

const destinationStates = {
  starting: { word: "Starting", tone: "unknown", help: "no request has been answered yet" },
  accepting: { word: "Accepting", tone: "ok", help: "the last request was accepted" },
  unanswered: { word: "No answer", tone: "warning", help: "a request has been under way for longer than 5 s" },
  retrying: { word: "Retrying", tone: "warning", help: "the last request failed: samples wait and are sent again" },
  held: { word: "Held", tone: "critical", help: "the credentials were refused: samples wait" },
  refusing: { word: "Refusing", tone: "critical", help: "the last request was refused for good: its samples are lost" },
  unknown: { word: "Unknown", tone: "unknown", help: "" },
};

function destinationState(destination) { return destinationStates[knownWord(destinationStates, destination.state)]; }

const destinationFacts = [
  fact("Last push", "when it last took samples", (destination, _, now) =>
    age(destination.last_success_timestamp_seconds, now)),
  fact("Waits since", "when the oldest request under way was sent", (destination, _, now) =>
    asTime(destination.unanswered_since_timestamp_seconds) === null
      ? null : age(destination.unanswered_since_timestamp_seconds, now)),
  fact("Rate", "samples taken, over the last 30 s", destination => perSecond(destination.samples_per_second)),
  fact("Backlog", "samples that wait or are under way, and the age of the oldest", destination =>
    backlog(destination)),
  fact("Spool", "what waits on disk, of SPOOL_MAX_BYTES", destination => spool(destination)),
  fact("Outage may last", "how long an outage may last before samples are lost", destination =>
    destination.spool ? duration(destination.spool.lasts_seconds) : null),
  fact("Disk reserve", "spools leave room on the disk for webhooks", destination =>
    destination.spool?.reserve_reached === true ? words("reached: the disk has no room to spare", "warning") : null),
  fact("Queue", "memory of what waits, of its bound", destination =>
    ofMost(byteCount(destination.queue_bytes), byteCount(destination.queue_max_bytes))),
  fact("Accepted", "samples taken", destination => count(destination.samples_accepted_total)),
  fact("Rejected", "samples refused for good", (destination, _, now) =>
    loss(destination.samples_rejected_total, destination, now)),
  fact("Dropped", "samples given up before they could be sent", (destination, _, now) =>
    loss(destination.samples_dropped_total, destination, now)),
  fact("Ambiguous", "samples refused that may have been stored before", destination =>
    destination.samples_ambiguous_total > 0 ? count(destination.samples_ambiguous_total) : null),
  fact("Last loss", "when samples were last lost", (destination, _, now) =>
    asTime(destination.last_loss_timestamp_seconds) === null
      ? null : age(destination.last_loss_timestamp_seconds, now)),
  fact("Remote write", "the version that is sent", destination => words(destination.remote_write)),
  fact("Shards", "requests that may run at once", destination => count(destination.shards)),
  wideFact("Last answer", "its last answer, or the failure to get one, and the beginning of its text",
    (destination, _, now) => answer(destination, now)),
  wideFact("Failures", "failed requests since the last success, and the wait before the next", destination =>
    failures(destination)),
];

function loss(samples, destination, now) {
  return count(samples, samples > 0 && isRecent(destination.last_loss_timestamp_seconds, now) ? "critical" : "");
}

function answer(destination, now) {
  if (!destination.last_answer) return { ...notKnown, text: "none yet" };
  const { status, text, timestamp_seconds: at, duration_seconds: took } = destination.last_answer;
  const isGood = status >= 200 && status < 300;
  const what = status > 0 ? `HTTP ${status}` : "no answer";
  const said = asText(text).trim();
  return {
    text: `${what} after ${duration(took).text}, ${age(at, now).text}${said === "" ? "" : `: ${said}`}`,
    exact: age(at, now).exact,
    tone: isGood ? "" : "warning",
  };
}

function failures(destination) {
  if (!(destination.failures > 0)) return null;
  const wait = destination.backoff_seconds > 0
    ? `, next attempt within ${duration(destination.backoff_seconds).text}` : "";
  return words(`${count(destination.failures).text} since the last success${wait}`, "warning");
}

function backlog(destination) {
  const samples = count(destination.samples_pending);
  if (!(destination.samples_pending > 0) || !(destination.oldest_pending_seconds > 0)) return samples;
  return { ...samples, text: `${samples.text}, oldest ${duration(destination.oldest_pending_seconds).text}` };
}

function spool(destination) {
  if (!destination.spool) return { text: "none: what waits is in memory", exact: "", tone: "quiet" };
  const { size_bytes: size, size_max_bytes: most, samples } = destination.spool;
  const reading = ofMost(byteCount(size), byteCount(most));
  return samples > 0 ? { ...reading, text: `${reading.text}, ${plural(samples, "sample")}` } : reading;
}

/** A destination, with cause and action first where something is wrong. */
class DestinationView {
  constructor() {
    this.shape = new Shape();
    this.state = make("span", "state");
    this.name = new ForeignText("", 60);
    this.url = new ForeignText("", 90);
    this.cause = new ForeignText("", 400);
    this.action = new ActionView();
    this.setting = new ForeignText("", 200);
    this.settingLine = make("p", "foot", make("span", "", "Settings: ", this.setting.element));
    this.trouble = make(
      "div", "trouble", make("p", "what", this.cause.element), this.action.element, this.settingLine);
    const facts = make("dl", "facts");
    this.facts = new FactList(facts, destinationFacts);
    const plots = make("div", "plots");
    this.plots = new PlotGrid(plots);
    const head = make("div", "head", make("h3", "", this.name.element), this.shape.element, this.state);
    this.element = make(
      "li", "panel destination", head, make("p", "url", this.url.element), this.trouble, facts, plots);
  }

  update(destination, { status, now }) {
    const state = destinationState(destination);
    setAttribute(this.element, "data-name", visible(destination.name));
    setAttribute(this.element, "data-state", knownWord(destinationStates, destination.state));
    this.shape.update(state.tone);
    setReading(this.state, { text: state.word, exact: state.help, tone: state.tone });
    for (const field of ["url", "cause", "action", "setting"]) this[field].update(asText(destination[field]));
    this.name.update(asText(destination.name) || "without a name");
    setHidden(this.trouble, !destination.cause && !destination.action);
    setHidden(this.settingLine, !destination.setting);
    this.facts.update(destination, status, now);
    this.plots.update(asList(destination.plots), asObject(status.history));
  }
}

class DestinationsView {
  constructor() {
    this.element = byID("destinations");
    this.list = new KeyedList(byID("destinations-list"), () => new DestinationView());
  }

  update(status, now) {
    const destinations = asList(status.destinations);
    setQuietLine(this.element, destinations.length === 0
      ? "No destination is configured: nothing is pushed. Set GRAFANA_PROM_REMOTE_WRITE_URL or "
        + "REMOTE_WRITE_DESTINATIONS, or scrape metrics."
      : "");
    this.list.update(destinations, destination => asText(destination.name), { status, now });
  }
}
