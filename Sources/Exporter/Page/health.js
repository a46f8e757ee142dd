// The top of the page: what lkpush is, whether it works, and what to do if not.

const healthStates = {
  asking: { word: "Asking", tone: "unknown", sign: "…" },
  healthy: { word: "Healthy", tone: "ok", sign: "✓" },
  degraded: { word: "Degraded", tone: "warning", sign: "▲" },
  failing: { word: "Failing", tone: "critical", sign: "●" },
  unknown: { word: "Unknown", tone: "unknown", sign: "○" },
  lost: { word: "No answer", tone: "unknown", sign: "○" },
};

const severities = {
  critical: { word: "Critical", tone: "critical" },
  warning: { word: "Warning", tone: "warning" },
  unknown: { word: "Problem", tone: "unknown" },
};

/** A state of the table, or `unknown` for a word that this version does not have. */
function knownWord(table, word) { return Object.hasOwn(table, asText(word)) ? word : "unknown"; }

class HealthView {
  constructor() {
    this.section = byID("health");
    this.problems = new KeyedList(byID("problems"), () => new ProblemView());
    this.told = "";
    this.readiness = make("span");
    this.reason = new ForeignText("", 400);
    byID("health-ready").append(this.readiness, this.reason.element);
  }

  update(status, now) {
    const health = asObject(status.health);
    const problems = asList(health.problems);
    this.name = knownWord(healthStates, health.state);
    const state = healthStates[this.name];
    setAttribute(this.section, "data-state", this.name);
    setAttribute(byID("health-shape"), "href", `#shape-${state.tone}`);
    setText(byID("health-state"), state.word);
    setText(byID("health-summary"), problems.length === 0 && this.name !== "healthy" ? "" : problemSummary(problems));
    this.showReadiness(health);
    this.problems.update(problems, problem => `${asText(problem.name)} ${asText(problem.subject)}`, now);
    setHidden(byID("problems"), problems.length === 0);
    this.tell(state, problems);
  }

  showReadiness(health) {
    const reasons = asList(health.not_ready).map(visible);
    const line = byID("health-ready");
    const isReady = health.ready === true;
    this.reason.update(isReady ? "" : reasons.join("; ") || "no reason is given");
    setText(this.readiness, isReady ? "Ready for webhooks." : "Not ready, webhooks are refused: ");
    setAttribute(line, "data-ready", String(isReady));
    setHidden(line, typeof health.ready !== "boolean");
  }

  /** Old figures must not look like news: the state is what it is, not known. */
  lose(shownAt) {
    const was = healthStates[this.name]?.word.toLowerCase();
    setAttribute(this.section, "data-state", "lost");
    setAttribute(byID("health-shape"), "href", "#shape-unknown");
    setText(byID("health-state"), healthStates.lost.word);
    setHidden(byID("health-ready"), true);
    setText(byID("health-summary"), was ? `lkpush was ${was} at ${clockText(shownAt)} UTC` : "");
  }

  /** Says to screen readers what changed. The first document is no change. */
  tell(state, problems) {
    const text = `lkpush is ${state.word.toLowerCase()}. ${problemSummary(problems)}`;
    if (this.told !== "" && this.told !== text) announce(text);
    this.told = text;
  }
}

function problemSummary(problems) {
  if (problems.length === 0) return "nothing to do";
  const critical = problems.filter(problem => problem.severity === "critical").length;
  const all = plural(problems.length, "problem");
  return critical > 0 && critical < problems.length ? `${all}, ${critical} critical` : all;
}

/** What is wrong, what it costs, and what to do. */
class ProblemView {
  constructor() {
    this.shape = new Shape();
    this.severity = make("span", "severity");
    this.subject = new ForeignText("subject", 120);
    this.what = new ForeignText("what", 400);
    this.cost = new ForeignText("", 600);
    this.action = new ActionView();
    this.since = make("time");
    this.alert = make("code");
    this.alertLine = make("span", "alert", "Runbook: ", this.alert);
    this.costLine = make("p", "cost", this.cost.element);
    const heading = make("h3", "", this.shape.element, this.severity, this.subject.element, this.what.element);
    this.sinceLine = make("span", "", "Noticed ", this.since);
    const foot = make("p", "foot", this.sinceLine, this.alertLine);
    this.element = make("li", "problem", heading, this.action.element, this.costLine, foot);
  }

  update(problem, now) {
    const severity = severities[knownWord(severities, problem.severity)];
    setAttribute(this.element, "data-severity", severity.tone);
    setAttribute(this.element, "data-name", visible(problem.name));
    this.shape.update(severity.tone);
    setText(this.severity, severity.word);
    for (const field of ["subject", "what", "cost", "action"]) this[field].update(asText(problem[field]));
    setHidden(this.subject.element, !problem.subject);
    setHidden(this.costLine, !problem.cost);
    setTime(this.since, age(problem.since_timestamp_seconds, now));
    setHidden(this.sinceLine, asTime(problem.since_timestamp_seconds) === null);
    setText(this.alert, visible(problem.alert));
    setHidden(this.alertLine, !problem.alert);
  }
}

/** Shows a time as its age. */
function setTime(element, reading) {
  setReading(element, reading);
  const isKnown = reading.time !== undefined;
  setAttribute(element, "datetime", isKnown ? new Date(reading.time * 1000).toISOString() : "");
}

/** Name, place, version and age of the process. */
function showIdentity(status, now) {
  const program = asObject(status.lkpush);
  setText(byID("instance"), visible(program.instance));
  const place = [program.project, program.environment, program.region].filter(Boolean).map(visible).join(" / ");
  const started = asTime(program.started_timestamp_seconds);
  const parts = [
    place,
    program.version ? `version ${visible(program.version)}` : "",
    started === null ? "" : `up ${durationText(Math.max(0, now - started))}`,
    `as of ${clockText(now)} UTC`,
  ];
  setText(byID("identity"), parts.filter(Boolean).join(" · "));
}

/** The title of the tab and its icon tell the state while another tab is in front. */
function showInTab(name, instance) {
  const { word, sign } = healthStates[name];
  const suffix = instance ? ` ${beginning(visible(instance), 40)}` : "";
  document.title = `${sign} ${word}: lkpush${suffix}`;
  setAttribute(byID("favicon"), "href", `data:image/svg+xml,${encodeURIComponent(faviconSVG(name))}`);
}

function faviconSVG(name) {
  const shapes = {
    healthy: '<circle cx="8" cy="8" r="7.5" fill="#1a7f37"/>'
      + '<path d="M4.4 8.3 7 10.9 11.8 5.6" fill="none" stroke="#fff" stroke-width="2"/>',
    degraded: '<path d="M8 .5 16 15.5H0Z" fill="#d18b00"/><path d="M8 5.5v5M8 12v2" stroke="#000" stroke-width="2"/>',
    failing: '<path d="M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7Z" fill="#c62828"/>'
      + '<path d="m5 5 6 6m0-6-6 6" stroke="#fff" stroke-width="2"/>',
  };
  const shape = shapes[name] ?? '<circle cx="8" cy="8" r="6" fill="none" stroke="#7a828b" stroke-width="3"/>';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${shape}</svg>`;
}
