// Small plots of the last 15 minutes.

/** The titles of plots whose name does not say enough. */
const plotTitles = {
  events_per_second: "Webhooks",
  rejected_per_second: "Refused webhooks",
  delivery_lag_seconds: "Lag of webhooks",
  queue_events: "Queue",
  journal_commit_seconds: "Commit",
  disk_free_bytes: "Free disk",
  rows_waiting: "Rows waiting",
  cpu_ratio: "Processor",
  resident_memory_bytes: "Memory",
  samples_per_second: "Samples taken",
  samples_pending: "Samples waiting",
  spool_bytes: "Spool",
};

const plotWidth = 240;
const plotHeight = 36;

/** One plot. Pointing at it, or the arrow keys while it is focused, show the value and time of a point. */
class PlotView {
  constructor() {
    this.points = [];
    this.pointed = null;
    this.title = make("span", "plot-title");
    this.value = make("span", "plot-value");
    this.line = makeSVG("path", { class: "plot-line" });
    this.area = makeSVG("path", { class: "plot-area" });
    this.cursor = makeSVG("path", { class: "plot-cursor" });
    const svg = makeSVG("svg", {
      viewBox: `0 0 ${plotWidth} ${plotHeight}`, preserveAspectRatio: "none", "aria-hidden": "true",
    }, this.area, this.line, this.cursor);
    this.canvas = make("div", "plot-canvas", svg);
    this.canvas.setAttribute("role", "img");
    this.canvas.tabIndex = 0;
    this.range = make("span", "plot-range");
    this.element = make("div", "plot", make("div", "plot-head", this.title, this.value), this.canvas, this.range);
    this.listen();
  }

  listen() {
    this.canvas.addEventListener("pointermove", event => this.point(this.indexAt(event.clientX)));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("blur", () => this.point(null));
    this.canvas.addEventListener("keydown", event => this.step(event));
  }

  update(plot, history) {
    this.name = asText(plot.name);
    this.history = history;
    this.points = wholeGrid(Array.isArray(plot.points) ? plot.points.map(asNumber) : [], history);
    const title = Object.hasOwn(plotTitles, this.name) ? plotTitles[this.name] : wordsOfName(this.name);
    setText(this.title, title);
    this.draw();
    this.describe(title);
    this.showValue();
  }

  draw() {
    const known = this.points.filter(point => point !== null);
    this.least = known.length === 0 ? null : Math.min(...known);
    this.most = known.length === 0 ? null : Math.max(...known);
    const { line, area } = plotPaths(this.points, Math.min(this.least ?? 0, 0), this.most ?? 0);
    setAttribute(this.line, "d", line);
    setAttribute(this.area, "d", area);
  }

  describe(title) {
    const last = this.points.at(-1) ?? null;
    if (this.least === null) {
      setText(this.range, "no figures yet");
      return setAttribute(this.canvas, "aria-label", `${title}, last 15 minutes: no figures yet`);
    }
    const [latest, least, most] = [last, this.least, this.most].map(value => numberByName(this.name, value).text);
    setText(this.range, least === most ? `always ${least}` : `${least} to ${most}`);
    setAttribute(
      this.canvas, "aria-label", `${title}, last 15 minutes: latest ${latest}, least ${least}, most ${most}`);
  }

  showValue() {
    const index = this.pointed ?? this.points.length - 1;
    const reading = numberByName(this.name, this.points[index]);
    const isPointed = this.pointed !== null && this.pointed < this.points.length;
    const text = isPointed ? `${reading.text} at ${clockText(this.timeOf(index))}` : reading.text;
    setReading(this.value, { ...reading, text });
    const x = pointX(index, this.points.length);
    setAttribute(this.cursor, "d", isPointed ? `M${x} 0V${plotHeight}` : "");
    return text;
  }

  timeOf(index) {
    const end = asTime(this.history?.end_timestamp_seconds) ?? 0;
    return end - (this.points.length - 1 - index) * (asNumber(this.history?.step_seconds) ?? 0);
  }

  indexAt(clientX) {
    if (this.points.length === 0) return null;
    const box = this.canvas.getBoundingClientRect();
    const share = (clientX - box.left) / Math.max(box.width, 1);
    return Math.max(0, Math.min(this.points.length - 1, Math.round(share * (this.points.length - 1))));
  }

  point(index) {
    this.pointed = index;
    return this.showValue();
  }

  step(event) {
    const last = this.points.length - 1;
    const from = this.pointed ?? last;
    const target = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (target === undefined || last < 0) return;
    event.preventDefault();
    announce(this.point(Math.max(0, Math.min(last, target))));
  }
}

/** The points of a young process, with the time before its start as a gap. */
function wholeGrid(points, history) {
  const step = asNumber(history.step_seconds);
  const missing = step > 0 ? Math.min(Math.round(900 / step), 10_000) - points.length : 0;
  return missing > 0 ? [...Array(missing).fill(null), ...points] : points;
}

function pointX(index, length) {
  return length < 2 ? plotWidth : Math.round(index / (length - 1) * plotWidth * 10) / 10;
}

/** The line, with a gap where a value is not known, and the area below it. */
function plotPaths(points, bottom, top) {
  const height = plotHeight - 4;
  const scale = top > bottom ? height / (top - bottom) : 0;
  let line = "";
  let area = "";
  let start = null;
  points.forEach((point, index) => {
    if (point === null) {
      start = null;
      return;
    }
    const x = pointX(index, points.length);
    const y = Math.round((plotHeight - 2 - (point - bottom) * scale) * 10) / 10;
    const isFirst = start === null;
    const isLast = (points[index + 1] ?? null) === null;
    line += `${isFirst ? "M" : "L"}${x} ${y}`;
    area += `${isFirst ? `M${x} ${plotHeight}` : ""}L${x} ${y}${isLast ? `V${plotHeight}Z` : ""}`;
    // A point between two gaps is a bar: a line of no length would not be seen.
    if (isFirst && isLast) line += `V${plotHeight}`;
    start ??= x;
  });
  return { line, area };
}

/** The plots of a section. */
class PlotGrid {
  constructor(parent) {
    this.parent = parent;
    this.list = new KeyedList(parent, () => new PlotView());
  }

  update(plots, history) {
    this.list.update(plots, plot => asText(plot.name), history);
    setHidden(this.parent, plots.length === 0);
  }
}
