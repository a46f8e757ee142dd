// The tables: organizations and settings. Both have a filter and are sorted by the buttons in their headers.

/**
 * A table whose rows are changed in place. A column has a `title`, a `kind` (text or number), a `read` that returns its
 * value, and perhaps a `help` and a `usual` value that draws no attention.
 */
class TableView {
  constructor(table, columns, keyOf, sorting) {
    this.columns = columns;
    this.keyOf = keyOf;
    this.sorting = sorting;
    this.rows = [];
    this.filterText = "";
    this.headers = columns.map((column, index) => this.makeHeader(column, index));
    table.tHead.rows[0].append(...this.headers);
    this.list = new KeyedList(table.tBodies[0], () => new RowView(columns));
  }

  makeHeader(column, index) {
    const button = make("button", "", column.title);
    button.type = "button";
    button.addEventListener("click", () => this.sortBy(index));
    const header = make("th", column.kind, button);
    header.scope = "col";
    if (column.help) header.title = column.help;
    return header;
  }

  sortBy(index) {
    const isSame = this.sorting.index === index;
    // The first click shows the largest numbers, or begins the alphabet.
    const isDescending = isSame ? !this.sorting.isDescending : this.columns[index].kind === "number";
    this.sorting = { index, isDescending };
    this.show();
  }

  filter(text) {
    this.filterText = text.trim().toLowerCase();
    this.show();
  }

  update(rows) {
    this.rows = rows;
    this.show();
  }

  show() {
    const direction = this.sorting.isDescending ? "descending" : "ascending";
    this.headers.forEach((header, index) =>
      setAttribute(header, "aria-sort", index === this.sorting.index ? direction : ""));
    this.shown = this.rows.filter(row => this.matches(row)).sort((one, other) => this.compare(one, other));
    this.list.update(this.shown, this.keyOf);
    this.onShow?.();
  }

  matches(row) {
    if (this.filterText === "") return true;
    return this.columns.some(column =>
      column.kind === "text" && visible(column.read(row)).toLowerCase().includes(this.filterText));
  }

  compare(one, other) {
    const { index, isDescending } = this.sorting;
    const order = compareValues(this.columns[index].read(one), this.columns[index].read(other));
    // Equal rows keep one order, so that they do not change places from second to second.
    return (isDescending ? -order : order) || compareValues(this.keyOf(one), this.keyOf(other));
  }
}

function compareValues(one, other) { return one < other ? -1 : Number(one > other); }

class RowView {
  constructor(columns) {
    this.cells = columns.map((column, index) => new CellView(column, index === 0));
    this.element = make("tr", "", ...this.cells.map(cell => cell.element));
  }

  update(row) {
    for (const cell of this.cells) cell.update(row);
  }
}

class CellView {
  constructor(column, isHeader) {
    this.column = column;
    this.element = make(isHeader ? "th" : "td", column.kind);
    if (isHeader) this.element.scope = "row";
    // Narrow windows show rows as blocks, and the title beside each value.
    this.element.dataset.title = column.title;
    if (column.kind === "text") {
      this.text = new ForeignText("", 64);
      this.element.append(this.text.element);
    }
  }

  update(row) {
    const value = this.column.read(row);
    if (this.text) this.text.update(value);
    else setText(this.element, count(value).text);
    setAttribute(this.element, "data-empty", value === "" || value === 0 || value === this.column.usual ? "true" : "");
  }
}

function textColumn(title, field, help = "") {
  return { title, kind: "text", help, read: row => asText(row[field]) };
}

function numberColumn(title, field, help = "") {
  return { title, kind: "number", help, read: row => asNumber(row[field]) ?? 0 };
}

class OrganizationsView {
  constructor() {
    this.element = byID("organizations");
    this.table = new TableView(byID("organizations-table"), [
      textColumn("Organization", "org_id", "the label org_id"),
      textColumn("Name", "org_name"),
      numberColumn("Rooms", "rooms", "open rooms"),
      numberColumn("Participants", "participants", "connected participants of kind STANDARD"),
      numberColumn("Tracks", "tracks", "published tracks"),
      numberColumn("Egresses", "egresses", "recordings and streams that run"),
      numberColumn("Ingresses", "ingresses", "streams that are imported"),
    ], row => asText(row.org_id), { index: 3, isDescending: true });
    this.table.onShow = () => this.showCount();
    byID("organizations-filter").addEventListener("input", event => this.table.filter(event.target.value));
  }

  update(status) {
    const organizations = asObject(status.organizations);
    this.omitted = asNumber(organizations.omitted) ?? 0;
    this.table.update(asList(organizations.list));
    const isEmpty = this.table.rows.length === 0;
    setQuietLine(this.element, isEmpty ? standbyWords(status) || "Nobody uses LiveKit now." : "");
    setHidden(this.element.querySelector(".scroll"), isEmpty);
    setHidden(this.element.querySelector("label"), isEmpty);
    setText(byID("organizations-more"), `and ${wholeNumbers.format(this.omitted)} more with fewer participants`);
    setHidden(byID("organizations-more"), this.omitted === 0);
  }

  showCount() { setText(byID("organizations-count"), shownOf(this.table.shown.length, this.table.rows.length)); }
}

function shownOf(shown, all) {
  if (all === 0) return "";
  return shown === all ? wholeNumbers.format(all) : `${wholeNumbers.format(shown)} of ${wholeNumbers.format(all)}`;
}

class SettingsView {
  constructor() {
    this.settings = [];
    this.hide = byID("settings-hide");
    this.table = new TableView(byID("settings-table"), [
      textColumn("Setting", "name"),
      textColumn("Value", "value", "a secret is masked"),
      { title: "Set", kind: "text", usual: "default", read: row => row.default === true ? "default" : "set" },
    ], row => asText(row.name), { index: 0, isDescending: false });
    this.table.onShow = () => this.showCount();
    byID("settings-filter").addEventListener("input", event => this.table.filter(event.target.value));
    this.hide.addEventListener("change", () => this.show());
  }

  update(status) {
    this.settings = asList(status.settings);
    this.show();
  }

  show() { this.table.update(this.settings.filter(setting => !this.hide.checked || setting.default !== true)); }

  showCount() { setText(byID("settings-count"), shownOf(this.table.shown.length, this.settings.length)); }
}
