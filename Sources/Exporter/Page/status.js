// Asks for the status every two seconds and shows it.

const interval_ms = 2_000;
const longestInterval_ms = 10_000;
const patience_ms = 10_000;

// MARK: The links to the sections, each with its most important figure

const overview = [
  { target: "webhooks", title: "Webhooks", read: ({ intake }) => perSecond(asObject(intake).events_per_second) },
  { target: "recorder", title: "Participants", read: status =>
    leaders(status, count(asObject(status.recorder).participants)) },
  { target: "usage", title: "Minutes today", read: ({ usage }) => minutes(asObject(usage).connection_minutes_today) },
  { target: "journal", title: "Free disk", read: ({ journal }) => byteCount(asObject(journal).disk_free_bytes) },
  { target: "database", title: "Rows waiting", read: status =>
    leaders(status, count(asObject(status.database).rows_waiting)) },
  { target: "destinations", title: "Destinations", read: status => destinationsSummary(asList(status.destinations)) },
  { target: "organizations", title: "Organizations", read: status =>
    leaders(status, count(asObject(status.organizations).total)) },
  { target: "rejections", title: "Refused", read: ({ intake }, now) => refused(asObject(intake), now) },
  { target: "messages", title: "Log", read: ({ messages }, now) =>
    troubles(asList(messages).length, newest(messages, "timestamp_seconds"), now) },
  { target: "process", title: "Memory", read: ({ lkpush }) => byteCount(asObject(lkpush).resident_memory_bytes) },
  { target: "settings", title: "Settings", read: ({ settings }) => count(asList(settings).length) },
];

/** A figure that a replica has only while it leads. */
function leaders(status, reading) { return standbyWords(status) === "" ? reading : notKnown; }

function destinationsSummary(destinations) {
  if (destinations.length === 0) return { text: "none", exact: "", tone: "quiet" };
  const accepting = destinations.filter(({ state }) => state === "accepting").length;
  const tone = accepting === destinations.length ? "" : "warning";
  return { text: `${accepting} of ${destinations.length}`, exact: "that accept samples", tone };
}

class OverviewView {
  constructor() {
    this.rows = overview.map(({ target, title, read }) => {
      const value = make("span", "value");
      const link = make("a", "", make("span", "title", title), " ", value);
      link.href = `#${target}`;
      byID("sections-list").append(make("li", "", link));
      return { value, read };
    });
  }

  update(status, now) {
    for (const { value, read } of this.rows) setReading(value, read(status, now));
  }
}

// MARK: The page

class PageView {
  constructor() {
    this.health = new HealthView();
    this.views = [
      this.health, { update: showIdentity }, new OverviewView(), new DestinationsView(), ...factSections(),
      new OrganizationsView(), ...entrySections(), { update: showRoomsOmitted }, new LaterView(), new SettingsView(),
      new RoutesView(),
    ];
  }

  show(status) {
    const now = asTime(status.now_timestamp_seconds) ?? Date.now() / 1000;
    this.shownAt = now;
    for (const view of this.views) this.showView(view, status, now);
    this.instance = asText(asObject(status.lkpush).instance);
    showInTab(this.health.name ?? "unknown", this.instance);
    document.body.dataset.connection = "live";
    hideBanner();
  }

  /** What one part does not expect, for example of a newer lkpush, does not take the others along. */
  showView(view, status, now) {
    try {
      view.update(status, now);
    } catch (error) {
      console.error("a part of the status cannot be shown", error);
    }
  }

  /** Dims the old figures and says since when there are no new ones. */
  showFailure(failure, failedAt) {
    const hasFigures = this.shownAt !== undefined;
    document.body.dataset.connection = "lost";
    showInTab("lost", this.instance);
    this.health.lose(this.shownAt);
    showBanner(
      `lkpush does not answer since ${clockText(failedAt / 1000)} UTC: ${failure}.`,
      "See whether the process runs, what its log says, and whether METRICS_LISTEN can be reached from here. "
        + (hasFigures ? `The figures below are those of ${clockText(this.shownAt)} UTC. ` : "")
        + "This page goes on asking.");
  }
}

function showBanner(text, detail) {
  setText(byID("banner-text"), text);
  setText(byID("banner-detail"), detail);
  setHidden(byID("banner-detail"), false);
  setHidden(byID("retry"), false);
}

function hideBanner() {
  // The button that has the focus goes away. Then the focus goes to what came back.
  if (document.activeElement === byID("retry")) byID("health").focus();
  setText(byID("banner-text"), "");
  setHidden(byID("banner-detail"), true);
  setHidden(byID("retry"), true);
}

// MARK: Asking

class Poller {
  constructor(page) {
    this.page = page;
    this.failures = 0;
    this.isAsking = false;
    document.addEventListener("visibilitychange", () => this.ask());
    byID("retry").addEventListener("click", () => this.ask());
  }

  /** Asks now, unless nobody looks. */
  async ask() {
    clearTimeout(this.timer);
    if (document.hidden || this.isAsking) return;
    this.isAsking = true;
    try {
      this.page.show(await fetchStatus());
      this.failures = 0;
    } catch (error) {
      this.fail(error);
    }
    this.isAsking = false;
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => this.ask(), this.wait_ms);
  }

  fail(error) {
    if (this.failures === 0) this.failedAt = Date.now();
    this.failures += 1;
    this.page.showFailure(failureText(error), this.failedAt);
  }

  get wait_ms() { return Math.min(longestInterval_ms, interval_ms * 2 ** Math.min(this.failures, 4)); }
}

async function fetchStatus() {
  const response = await fetch("debug/status", { cache: "no-store", signal: AbortSignal.timeout(patience_ms) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const status = await response.json();
  if (asObject(status) !== status) throw new Error("the answer is no status");
  return status;
}

function failureText(error) {
  if (error.name === "TimeoutError") return `no answer within ${durationText(patience_ms / 1000)}`;
  if (error instanceof TypeError) return "no connection";
  return error instanceof SyntaxError ? "the answer is no JSON" : visible(error.message);
}

const page = new PageView();
new Poller(page).ask();
