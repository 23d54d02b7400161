// The list of round trips: sorted, filtered, shown a page at a time; a click zooms the chart.

const PAGE = 25;

class TradeTable {
  constructor(root, run, chart) {
    this.root = root;
    this.chart = chart;
    this.columns = TradeTable.columnsOf(run, chart.timeline.clock);
    this.rows = rowsOf(run.trades);
    this.sorted = { key: "number", down: false };
    this.page = 0;
    this.words = "";
    this.outcome = "all";
    this.chosen = null;
  }

  static columnsOf(run, clock) {
    const several = new Set(run.trades.strategy).size > 1;
    const tagged = run.trades.tag.some((tag) => tag);
    const figure = (key, title, show) => ({ key, title, show, right: true });
    const signed = (key, title, show) => ({ ...figure(key, title, show), signed: true });
    return [
      figure("number", "#", (n) => n.toLocaleString("en-US")),
      { key: "symbol", title: "Symbol", show: String },
      ...(several ? [{ key: "strategy", title: "Strategy", show: String }] : []),
      { key: "side", title: "Side", show: (side) => side.toLowerCase() },
      figure("quantity", "Quantity", format),
      figure("entry_time", "Entry", (time) => clock.stamp(time)),
      figure("entry_price", "Price", format),
      figure("exit_time", "Exit", (time) => clock.stamp(time)),
      figure("exit_price", "Price", format),
      signed("pnl", "Net P&L", money),
      signed("return_pct", "Return", (value) => percent(value / 100)),
      figure("fees", "Fees", money),
      figure("held", "Held", duration),
      ...(tagged ? [{ key: "tag", title: "Tag", show: String }] : []),
    ];
  }

  start() {
    this.head = this.root.querySelector("thead");
    this.body = this.root.querySelector("tbody");
    this.head.addEventListener("click", (event) => this.sortBy(event.target.closest("th")));
    this.body.addEventListener("click", (event) => this.pick(event.target.closest("tr")));
    this.body.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.pick(event.target.closest("tr"));
    });
    this.root.querySelector("[data-filter]").addEventListener("input", (event) => {
      this.words = event.target.value.toLowerCase();
      this.refresh(0);
    });
    for (const button of this.root.querySelectorAll("[data-outcome]")) {
      button.addEventListener("click", () => this.choose(button));
    }
    for (const button of this.root.querySelectorAll("[data-page]")) {
      button.addEventListener("click", () => this.refresh(this.page + Number(button.dataset.page)));
    }
    this.refresh(0);
  }

  choose(button) {
    this.outcome = button.dataset.outcome;
    for (const other of this.root.querySelectorAll("[data-outcome]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    this.refresh(0);
  }

  sortBy(cell) {
    if (!cell) return;
    const { key } = cell.dataset;
    this.sorted = { key, down: this.sorted.key === key ? !this.sorted.down : false };
    this.refresh(0);
  }

  visible() {
    const { key, down } = this.sorted;
    const kept = this.rows.filter((row) => this.matches(row));
    const compare = (a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : a.number - b.number);
    kept.sort((a, b) => (down ? compare(b, a) : compare(a, b)));
    return kept;
  }

  matches(row) {
    if (this.outcome === "won" && !(row.pnl > 0)) return false;
    if (this.outcome === "lost" && !(row.pnl < 0)) return false;
    if (!this.words) return true;
    const text = `${row.symbol} ${row.strategy} ${row.side} ${row.tag}`.toLowerCase();
    return text.includes(this.words);
  }

  refresh(page) {
    const rows = this.visible();
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    this.page = Math.min(Math.max(page, 0), pages - 1);
    const first = this.page * PAGE;
    this.head.innerHTML = `<tr>${this.columns.map((column) => this.heading(column)).join("")}</tr>`;
    this.body.innerHTML = rows.slice(first, first + PAGE).map((row) => this.line(row)).join("");
    const last = Math.min(first + PAGE, rows.length);
    const place = rows.length ? `${first + 1}\u2013${last} of ${rows.length.toLocaleString("en-US")}`
      : "none";
    this.root.querySelector("[data-place]").textContent = place;
    this.root.querySelector('[data-page="-1"]').disabled = this.page === 0;
    this.root.querySelector('[data-page="1"]').disabled = this.page === pages - 1;
  }

  heading({ key, title, right }) {
    const { key: by, down } = this.sorted;
    const order = by === key ? ` aria-sort="${down ? "descending" : "ascending"}"` : "";
    return `<th data-key="${key}" class="${right ? "figure" : ""}"${order}>${escapeHtml(title)}</th>`;
  }

  line(row) {
    const cells = this.columns.map(({ key, show, right, signed }) => {
      const value = row[key];
      const tone = signed ? (value > 0 ? " gain" : value < 0 ? " loss" : "") : "";
      return `<td class="${right ? "figure" : ""}${tone}">${escapeHtml(show(value))}</td>`;
    });
    const chosen = row.number === this.chosen ? ' class="chosen"' : "";
    return `<tr tabindex="0" data-number="${row.number}"${chosen}>${cells.join("")}</tr>`;
  }

  pick(line) {
    if (!line) return;
    this.chosen = Number(line.dataset.number);
    for (const other of this.body.children) other.classList.toggle("chosen", other === line);
    this.chart.select(this.rows[this.chosen - 1]);
    this.chart.element.dispatchEvent(new CustomEvent("picked"));
    this.chart.element.parentElement.scrollIntoView({ behavior: "smooth", block: "center" });
  }
}

function rowsOf(trades) {
  const names = Object.keys(trades);
  return Array.from(trades.pnl, (_, i) => {
    const row = Object.fromEntries(names.map((name) => [name, trades[name][i]]));
    return { ...row, number: i + 1, held: trades.exit_time[i] - trades.entry_time[i] };
  });
}

function duration(ms) {
  for (const [unit, size, lower, part] of [
    ["d", DAY, "h", HOUR], ["h", HOUR, "m", MINUTE], ["m", MINUTE, "s", SECOND],
  ]) {
    if (ms >= size) {
      const rest = Math.floor((ms % size) / part);
      return `${Math.floor(ms / size)} ${unit}${rest ? ` ${rest} ${lower}` : ""}`;
    }
  }
  return ms >= SECOND ? `${Math.round(ms / SECOND)} s` : `${ms} ms`;
}

// Formatters are made once: toLocaleString makes one for each call.
const plainFormat = new Intl.NumberFormat("en-US", { maximumFractionDigits: 9 });
const centFormat = new Intl.NumberFormat("en-US", {
  minimumFractionDigits: 2, maximumFractionDigits: 2,
});
const format = (value) => plainFormat.format(value);
const money = (value) => centFormat.format(value);
const percent = (share) => `${centFormat.format(100 * share)} %`;

function escapeHtml(value) {
  return String(value).replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
