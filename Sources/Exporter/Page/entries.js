// The lists of what happened: refused webhooks, rooms without an organization, dead letters, lines of the log.

/** One thing that happened. `read` turns it into time, tag, count, title, texts and action. */
class EntryView {
  constructor(read) {
    this.read = read;
    this.time = make("time");
    this.tag = make("span", "tag");
    this.times = make("span", "times");
    this.title = new ForeignText("entry-title", 200);
    this.detail = new ForeignText("detail", 300);
    this.what = new ForeignText("", 400);
    this.action = new ActionView();
    this.whatLine = make("p", "", this.what.element);
    const head = make(
      "p", "entry-head", this.time, this.tag, this.title.element, this.times, this.detail.element);
    this.element = make("li", "entry", head, this.whatLine, this.action.element);
    const names = make("ul", "names");
    this.names = new KeyedList(names, () => new NameView());
    this.element.append(names);
  }

  update(value, now) {
    const entry = this.read(value);
    setTime(this.time, age(entry.at, now));
    setText(this.tag, visible(entry.tag));
    setAttribute(this.tag, "data-tone", entry.tone ?? "");
    setText(this.times, entry.times ?? "");
    for (const field of ["title", "detail", "what", "action"]) this[field].update(asText(entry[field]));
    setHidden(this.title.element, !entry.title);
    setHidden(this.detail.element, !entry.detail);
    setHidden(this.times, !entry.times);
    setHidden(this.whatLine, !entry.what);
    this.names.update(entry.names ?? [], room => asText(room.room), now);
  }
}

function rejectionEntry(rejection) {
  return {
    at: rejection.last_timestamp_seconds, tag: rejection.reason, times: timesText(rejection.total),
    detail: rejection.detail, what: rejection.what, action: rejection.action,
  };
}

/** The name of a room, and when it counted last. */
class NameView {
  constructor() {
    this.name = new ForeignText("", 64);
    this.time = make("time");
    this.element = make("li", "", this.name.element, " ", this.time);
  }

  update(room, now) {
    this.name.update(asText(room.room));
    setTime(this.time, age(room.last_timestamp_seconds, now));
  }
}

/** The rooms by reason: twenty rooms with one advice need it once. */
function roomsByReason(rooms) {
  const groups = new Map();
  for (const room of asList(rooms)) {
    const key = [room.reason, room.what, room.action].map(asText).join("\n");
    groups.get(key)?.rooms.push(room) ?? groups.set(key, { key, rooms: [room] });
  }
  return [...groups.values()];
}

function unknownRoomEntry({ rooms }) {
  const [{ reason, what, action }] = rooms;
  return {
    at: newest(rooms, "last_timestamp_seconds"), tag: reason, times: plural(rooms.length, "room"),
    what, action, names: rooms,
  };
}

function deadLetterEntry(letter) {
  return { at: letter.timestamp_seconds, tag: letter.table, what: letter.reason };
}

function messageEntry(message) {
  return {
    at: message.timestamp_seconds, tag: message.level, tone: message.level === "error" ? "critical" : "warning",
    title: message.message, detail: message.fields,
    times: message.hidden > 0 ? `${wholeNumbers.format(message.hidden)} more like it before` : "",
  };
}

function timesText(total) { return asNumber(total) === null ? "" : plural(total, "time"); }

/** A section that is a list of entries, or one quiet line. */
class EntriesView {
  constructor(name, read, keyOf, listOf, absence) {
    this.element = byID(name);
    this.keyOf = keyOf;
    this.listOf = listOf;
    this.absence = absence;
    this.list = new KeyedList(byID(`${name}-list`), () => new EntryView(read));
  }

  update(status, now) {
    const entries = asList(this.listOf(status));
    setQuietLine(this.element, entries.length === 0 ? this.absence : "");
    this.list.update(entries, this.keyOf, now);
  }
}

function entrySections() {
  return [
    new EntriesView("rejections", rejectionEntry, rejection => asText(rejection.reason),
      status => asObject(status.intake).rejections, "No webhook was refused since the start."),
    new EntriesView("unknown-rooms", unknownRoomEntry, group => group.key,
      status => roomsByReason(asObject(status.recorder).unknown_rooms), "Every room has an organization."),
    new EntriesView("dead-letters", deadLetterEntry, letter => `${letter.timestamp_seconds} ${asText(letter.table)}`,
      status => asObject(status.database).last_dead_letters, "The database refused no row since the start."),
    new EntriesView("messages", messageEntry, message => `${message.timestamp_seconds} ${asText(message.message)}`,
      status => status.messages, "No warning and no error since the start."),
  ];
}

function showRoomsOmitted(status) {
  const omitted = asNumber(asObject(status.recorder).unknown_rooms_omitted) ?? 0;
  setText(byID("unknown-rooms-more"), `and ${plural(omitted, "more room")} of the last hour`);
  setHidden(byID("unknown-rooms-more"), omitted === 0);
}

// MARK: Capabilities that may be off

/** An object of which this page knows no more than the names of its fields, which tell units. */
class ObjectView {
  constructor() {
    this.facts = make("dl", "facts");
    this.element = make("li", "entry", this.facts);
    this.list = new KeyedList(this.facts, () => new FieldView());
  }

  update(object, now) {
    const fields = Object.entries(asObject(object)).filter(([, value]) => value === null || typeof value !== "object");
    this.list.update(fields, ([name]) => name, now);
  }
}

class FieldView {
  constructor() {
    this.term = make("dt");
    this.text = new ForeignText("", 120);
    this.value = make("dd", "", this.text.element);
    this.element = make("div", "", this.term, this.value);
  }

  update([name, value], now) {
    const reading = fieldReading(name, value, now);
    setText(this.term, wordsOfName(name));
    this.text.update(reading.text);
    setAttribute(this.value, "title", reading.exact ?? "");
  }
}

function fieldReading(name, value, now) {
  if (name.endsWith("_timestamp_seconds")) return age(value, now);
  if (typeof value === "number") return numberByName(name, value);
  if (typeof value === "boolean") return { text: value ? "yes" : "no" };
  return value === null ? notKnown : { text: asText(value) };
}

const laterSections = [
  { field: "replicas", off: "no replicas", objects: value => value === asObject(value) ? [value] : [] },
  { field: "reconciliation", off: "no comparison with LiveKit", objects: value => value ? [value] : [] },
  { field: "relays", off: "no relay", objects: value => asList(value) },
];

/** Shows the sections whose capability is on, and names the others in one line. */
class LaterView {
  constructor() {
    this.lists = laterSections.map(({ field }) => {
      // A section without a list has a view of its own.
      const list = byID(field).querySelector("ul");
      return list && new KeyedList(list, () => new ObjectView());
    });
  }

  update(status, now) {
    const off = [];
    laterSections.forEach(({ field, off: words, objects }, index) => {
      const values = objects(status[field]);
      setHidden(byID(field), values.length === 0);
      if (values.length === 0) off.push(words);
      this.lists[index]?.update(values, value => asText(value.name ?? value.instance ?? field), now);
    });
    setText(byID("capabilities"), off.length === 0 ? "" : `Off: ${off.join(", ")}.`);
  }
}

// MARK: What else the private listener answers

/** A link to a route, relative, so that it works behind the path of a proxy. */
class RouteView {
  constructor() {
    this.link = make("a");
    this.help = make("span");
    this.element = make("li", "", this.link, " ", this.help);
  }

  update(route) {
    const path = route.path.slice(1);
    setAttribute(this.link, "href", path);
    setText(this.link, path);
    setText(this.help, visible(route.help));
  }
}

class RoutesView {
  constructor() { this.list = new KeyedList(byID("routes"), () => new RouteView()); }

  update(status) {
    const routes = asList(status.routes).filter(({ path }) => /^\/[\w./-]+$/.test(asText(path)));
    // An older lkpush lists none: the links of the page stay.
    if (routes.length === 0) return;
    if (this.list.items.size === 0) byID("routes").replaceChildren();
    this.list.update(routes, ({ path }) => path);
  }
}
