// Elements that are made once and then changed in place, so that focus, selection and scroll position survive.

function byID(id) { return document.getElementById(id); }

/** Makes an element with a class and children; a child that is a string becomes text. */
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function makeSVG(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Writing a text that is there already would end a selection in it. */
function setText(element, text) { if (element.textContent !== text) element.textContent = text; }

function setAttribute(element, name, value) {
  if (value === "" || value === null) return element.removeAttribute(name);
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function setHidden(element, isHidden) { if (element.hidden !== isHidden) element.hidden = isHidden; }

/** Shows one line instead of a section's contents, or hides the line. */
function setQuietLine(section, text) {
  const line = section.querySelector("p.quiet");
  setText(line, text);
  setHidden(line, text === "");
}

function setReading(element, reading) {
  setText(element, reading.text);
  setAttribute(element, "title", reading.exact && reading.exact !== reading.text ? reading.exact : "");
  setAttribute(element, "data-tone", reading.tone ?? "");
}

/** The sign of a tone. Its form says what its color says. */
class Shape {
  constructor() {
    this.use = makeSVG("use");
    this.element = makeSVG("svg", { class: "shape", "aria-hidden": "true" }, this.use);
  }

  update(tone) {
    const known = ["ok", "warning", "critical"].includes(tone) ? tone : "unknown";
    setAttribute(this.use, "href", `#shape-${known}`);
    setAttribute(this.element, "data-tone", known);
  }
}

/** A text of a stranger. A long one is cut, and a button shows the rest. */
class ForeignText {
  constructor(className = "", limit = 240) {
    this.limit = limit;
    this.whole = "";
    this.isOpen = false;
    this.text = make("bdi");
    this.element = make("span", className, this.text);
  }

  update(text) {
    if (text === this.received) return;
    this.received = text;
    this.whole = visible(text);
    this.show();
  }

  show() {
    const isLong = this.whole.length > this.limit;
    setText(this.text, isLong && !this.isOpen ? `${beginning(this.whole, this.limit)}…` : this.whole);
    if (isLong) this.showButton();
    else this.button?.remove();
  }

  showButton() {
    if (!this.button) {
      this.button = make("button", "more");
      this.button.type = "button";
      this.button.addEventListener("click", () => this.toggle());
    }
    if (!this.button.isConnected) this.element.append(this.button);
    setText(this.button, this.isOpen ? "less" : `all ${wholeNumbers.format(this.whole.length)} characters`);
    setAttribute(this.button, "aria-expanded", String(this.isOpen));
  }

  toggle() {
    this.isOpen = !this.isOpen;
    this.show();
  }
}

/** The elements of a list, one per value, found again by the value's key. */
class KeyedList {
  /** `makeItem` returns an object with an `element` and a method `update(value, context)`. */
  constructor(parent, makeItem) {
    this.parent = parent;
    this.makeItem = makeItem;
    this.items = new Map();
  }

  update(values, keyOf, context) {
    const former = this.items;
    this.items = new Map();
    for (const value of values) {
      const key = this.freeKey(keyOf(value));
      const item = former.get(key) ?? this.makeItem();
      former.delete(key);
      this.items.set(key, item);
      item.update(value, context);
    }
    for (const item of former.values()) item.element.remove();
    this.arrange([...this.items.values()].map(item => item.element));
  }

  /** Two values may have one key, for example two lines of the log. */
  freeKey(key) {
    let free = key;
    for (let number = 2; this.items.has(free); number += 1) free = `${key} ${number}`;
    return free;
  }

  /** Puts the elements into this order. One that moves would lose the focus, and a selection would jump. */
  arrange(elements) {
    if (this.isSelectedIn(elements)) {
      return elements.forEach(element => element.isConnected || this.parent.append(element));
    }
    const focused = document.activeElement;
    let place = this.parent.firstElementChild;
    for (const element of elements) {
      if (element === place) place = place.nextElementSibling;
      else this.parent.insertBefore(element, place);
    }
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
  }

  isSelectedIn(elements) {
    const selection = document.getSelection();
    return elements.length > 0 && selection && !selection.isCollapsed && selection.containsNode(this.parent, true);
  }
}

/** Names and figures. A fact has a `label`, a `help`, and a function that reads it, or returns null to hide it. */
class FactList {
  constructor(list, facts) {
    this.list = list;
    this.rows = facts.map(fact => this.makeRow(fact));
  }

  makeRow({ label, help, read, isWide }) {
    const term = make("dt", "", label);
    if (help) term.title = help;
    const text = new ForeignText("", isWide ? 240 : 80);
    const value = make("dd", "", text.element);
    const element = make("div", isWide ? "wide" : "", term, value);
    this.list.append(element);
    return { element, value, text, read };
  }

  update(section, status, now) {
    for (const row of this.rows) {
      const reading = row.read(section, status, now);
      setHidden(row.element, reading === null);
      if (reading === null) continue;
      row.text.update(reading.text);
      setAttribute(row.value, "title", reading.exact ?? "");
      setAttribute(row.value, "data-tone", reading.tone ?? "");
    }
  }
}

function fact(label, help, read) { return { label, help, read, isWide: false }; }

/** A fact whose text may be long: it has a line of its own. */
function wideFact(label, help, read) { return { label, help, read, isWide: true }; }

/** What to do. It looks alike wherever it is said. */
class ActionView {
  constructor() {
    this.text = new ForeignText("", 1000);
    this.element = make("p", "action", make("strong", "", "What to do"), " ", this.text.element);
  }

  update(action) {
    this.text.update(asText(action));
    setHidden(this.element, !action);
  }
}

/** Says a text to screen readers, without showing it. */
function announce(text) { setText(byID("announcer"), text); }
