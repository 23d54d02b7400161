// Equity, drawdown and price over one shared axis, drawn by plotly for the window in view.

const MARGIN = { l: 14, r: 74, t: 6, b: 42 };
const PANELS = { equity: [0.68, 1], drawdown: [0.52, 0.64], price: [0, 0.48] };
const MOST_CANDLES = 400; // above it the price is a line in its high-low band
const MOST_BUCKETS = 600;
const MOST_MARKERS = 400; // above it the marks of a side are one path
const SIDES = ["buy", "sell"];
const NAMES = { buy: "Buys", sell: "Sells" };
const MARK_PIXELS = 3;
const READOUT_PIXELS = 22;

class Chart {
  constructor(element, run, timeline) {
    this.element = element;
    this.run = run;
    this.timeline = timeline;
    this.count = timeline.times.length;
    this.logarithmic = false;
    this.selected = null;
    this.window = this.whole();
    this.drawdown = drawdownOf(run.equity.equity, run.initial_cash);
    this.fills = new FillIndex(run, timeline);
    this.bars = new Map(Object.keys(run.prices).map((s) => [s, this.placed(run.prices[s])]));
    this.symbol = this.fills.busiest([...this.bars.keys()]);
    this.readout = new Readout(element, this);
  }

  whole() {
    const air = Math.max(1, this.count * 0.01);
    return [-air, this.count - 1 + air];
  }

  // Bars with their positions: computed once for each symbol.
  placed(table) {
    const times = table.ts ?? this.timeline.times;
    const position = new Float64Array(times.length);
    for (let i = 0; i < times.length; i++) {
      position[i] = table.ts ? this.timeline.positionOf(times[i]) : i;
    }
    return { ...table, times, position };
  }

  async draw() {
    const config = { responsive: true, displayModeBar: false, doubleClick: false };
    await Plotly.newPlot(this.element, this.traces(), this.layout(), config);
    this.element.on("plotly_relayout", (change) => this.moved(change));
    this.element.on("plotly_doubleclick", () => this.show(...this.whole()));
    this.readout.listen();
  }

  redraw() {
    this.readout.rest();
    return Plotly.react(this.element, this.traces(), this.layout());
  }

  // The user, or a script, has moved the shared axis.
  moved(change) {
    if (change["xaxis.autorange"]) return this.show(...this.whole());
    const range = change["xaxis.range"] ?? [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (range[0] === undefined) {
      return Object.keys(change).some((key) => key === "width" || key === "autosize")
        ? this.redraw() : undefined;
    }
    return this.show(Number(range[0]), Number(range[1]));
  }

  // Bring positions [from, to] into view, kept inside the data and at least four points wide.
  show(from, to) {
    const [least, most] = this.whole();
    const width = Math.min(Math.max(to - from, 4), most - least);
    const middle = (from + to) / 2;
    const start = Math.min(Math.max(middle - width / 2, least), most - width);
    const inside = from >= least && to <= most && to - from === width;
    this.window = inside ? [from, to] : [start, start + width];
    return this.redraw();
  }

  showTimes(start, end) {
    return this.show(this.timeline.positionOf(start), this.timeline.positionOf(end));
  }

  showSymbol(symbol) {
    this.symbol = symbol;
    return this.redraw();
  }

  // Half a window on either side is drawn too, so that a drag uncovers something.
  drawn() {
    const [from, to] = this.window;
    const air = (to - from) / 2;
    return [Math.max(0, Math.floor(from - air)), Math.min(this.count, Math.ceil(to + air) + 1)];
  }

  seen() {
    const [from, to] = this.window;
    return [Math.max(0, Math.floor(from)), Math.min(this.count, Math.ceil(to) + 1)];
  }

  // Their number changes with the detail, so each has a name that plotly may know it by: left to
  // itself it would hand the identity of one trace to another.
  traces() {
    this.lookAt();
    const traces = [...this.curveTraces(), ...this.priceTraces(), ...this.fillTraces()];
    return traces.map((trace) => ({ ...trace, uid: trace.name.replaceAll(" ", "-") }));
  }

  // What several parts of one drawing need: the fills in view and the range of prices.
  lookAt() {
    this.inView = this.visibleFills();
    this.prices = this.priceRange();
  }

  curveTraces() {
    const [from, to] = this.drawn();
    const { equity, held } = this.run.equity;
    const most = 2 * MOST_BUCKETS;
    const hold = held ? extremes(held, from, to, most) : { x: [], y: [] };
    const rebase = this.rebase();
    hold.y = hold.y.map((value) => value * rebase);
    const quiet = { mode: "lines", hoverinfo: "skip" };
    return [
      { ...quiet, ...hold, name: "Buy and hold", yaxis: "y", line: this.line("muted", 1.2) },
      { ...quiet, ...extremes(equity, from, to, most), name: "Equity", yaxis: "y",
        line: this.line("accent", 1.7) },
      { ...quiet, ...extremes(this.drawdown, from, to, most), name: "Drawdown", yaxis: "y2",
        fill: "tozeroy", fillcolor: color("loss-faint"), line: this.line("loss", 1) },
    ];
  }

  // Buy and hold is drawn from the level of equity at the left edge, so that the two compare
  // over the window in view; over the whole run the factor is 1 or next to it.
  rebase() {
    const { equity, held } = this.run.equity;
    const [left] = this.seen();
    return held && left > 0 && held[left] > 0 && equity[left] > 0 ? equity[left] / held[left] : 1;
  }

  line(name, width) {
    return { color: color(name), width, shape: "linear" };
  }

  barWindow(bars, [from, to]) {
    return [lowerBound(bars.position, from), upperBound(bars.position, to)];
  }

  priceTraces() {
    const bars = this.bars.get(this.symbol);
    if (!bars) return [];
    const [first, last] = this.barWindow(bars, this.window);
    if (last - first <= MOST_CANDLES) return [this.candles(bars)];
    const [from, to] = this.barWindow(bars, this.drawn());
    const joined = joinBars(bars, from, to, 2 * MOST_BUCKETS);
    const base = { mode: "lines", yaxis: "y3", hoverinfo: "skip", x: joined.x };
    return [
      { ...base, name: "Low", y: joined.low, line: { width: 0 } },
      { ...base, name: "High", y: joined.high, line: { width: 0 }, fill: "tonexty",
        fillcolor: color("band") },
      { ...base, name: "Close", y: joined.close, line: this.line("text", 1.1) },
    ];
  }

  // A bar fills the room between the close before it and its own.
  candles(bars) {
    const [from, to] = this.barWindow(bars, this.drawn());
    const x = [];
    for (let i = from; i < to; i++) {
      const left = i ? bars.position[i - 1] : bars.position[i] - 1;
      x.push((left + bars.position[i]) / 2);
    }
    const part = (name) => Array.from(bars[name].subarray(from, to));
    const side = (name) => ({ line: { color: color(name), width: 1 }, fillcolor: color(name) });
    return { type: "candlestick", name: "Price", yaxis: "y3", hoverinfo: "skip", x,
      open: part("open"), high: part("high"), low: part("low"), close: part("close"),
      increasing: side("gain-soft"), decreasing: side("loss-soft") };
  }

  visibleFills() {
    return this.fills.within(this.symbol, ...this.window);
  }

  // Exactly one mark for each fill in view. Few are elements of their own that answer the pointer;
  // of many the trace keeps the data, and the marks are the triangles of one path a side, which
  // draws far faster than elements.
  fillTraces() {
    const dense = this.inView.length > MOST_MARKERS;
    return SIDES.map((side) => {
      const chosen = this.inView.filter((fill) => fill.side === side);
      return { ...this.fillTrace(chosen, side), ...(dense ? {} : this.markers(chosen, side)) };
    });
  }

  fillTrace(fills, side) {
    return {
      type: "scatter", mode: "none", hoverinfo: "skip", yaxis: "y3", name: NAMES[side], x: fills.map((fill) => fill.position), y: fills.map((fill) => fill.price),
      customdata: fills.map((fill) => fill.ts),
    };
  }

  fillShapes() {
    const { inView } = this;
    if (inView.length <= MOST_MARKERS) return [];
    return SIDES.map((side) => this.triangles(inView.filter((fill) => fill.side === side), side));
  }

  markers(fills, side) {
    const size = fills.length < 60 ? 11 : 8;
    return {
      mode: "markers", hoverinfo: "all",
      text: fills.map((fill) => this.describe(fill)),
      hovertemplate: "%{text}<extra></extra>",
      marker: { size, symbol: side === "buy" ? "triangle-up" : "triangle-down", opacity: 1,
        color: color(side), line: { width: 1, color: color("panel") } },
    };
  }

  triangles(fills, side) {
    const wide = (MARK_PIXELS * (this.window[1] - this.window[0])) / this.panelWidth();
    const [low, high] = this.prices;
    const pixel = (high - low) / this.panelHeight("price");
    const tall = 2 * MARK_PIXELS * pixel * (side === "buy" ? -1 : 1);
    // Plotly parses the path again at every pan: a hundredth of a pixel is digits enough.
    const [across, down] = [digits(wide / MARK_PIXELS), digits(pixel)];
    const path = fills.map(({ position, price }) => {
      const foot = (price + tall).toFixed(down);
      return `M${position.toFixed(across)},${price.toFixed(down)}` +
        `L${(position - wide).toFixed(across)},${foot}L${(position + wide).toFixed(across)},${foot}Z`;
    });
    return { type: "path", name: NAMES[side], xref: "x", yref: "y3", path: path.join(""),
      fillcolor: color(side), line: { width: 0 }, layer: "above" };
  }

  panelWidth() {
    return Math.max(1, this.element.clientWidth - MARGIN.l - MARGIN.r);
  }

  panelHeight(name) {
    const [bottom, top] = PANELS[name];
    return Math.max(1, (this.element.clientHeight - MARGIN.t - MARGIN.b) * (top - bottom));
  }

  describe(fill) {
    const head = `<b>${fill.side === "buy" ? "Buy" : "Sell"} ${format(fill.quantity)} ` +
      `${escapeHtml(fill.symbol)} at ${format(fill.price)}</b>`;
    const cost = fill.fee ? `<br>fee ${format(fill.fee)}` : "";
    return `${head}<br>${this.timeline.clock.stamp(fill.ts)}<br>${escapeHtml(fill.strategy)}${cost}`;
  }

  layout() {
    const ticks = this.timeline.ticks(...this.reach(), this.tickRoom());
    const axis = { gridcolor: color("grid"), zeroline: false, linecolor: color("grid"),
      tickfont: { color: color("muted"), size: 11 }, fixedrange: true, side: "right",
      separatethousands: true, exponentformat: "none", automargin: false };
    return {
      margin: MARGIN, showlegend: false, dragmode: "pan", hovermode: "closest",
      paper_bgcolor: color("panel"), plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", color: color("text") },
      hoverlabel: { bgcolor: color("panel"), bordercolor: color("grid"),
        font: { color: color("text"), size: 12 }, align: "left" },
      xaxis: { ...axis, side: "bottom", anchor: "y3", fixedrange: false, range: [...this.window],
        tickmode: "array", tickvals: ticks.values, ticktext: ticks.labels,
        rangeslider: { visible: false } },
      yaxis: { ...axis, domain: PANELS.equity, ...this.equityRange(), nticks: 6 },
      yaxis2: { ...axis, domain: PANELS.drawdown, range: this.drawdownRange(), nticks: 4,
        tickformat: ".2~%" },
      yaxis3: { ...axis, domain: PANELS.price, range: this.prices, nticks: 8 },
      shapes: this.shapes(),
    };
  }

  reach() {
    const [from, to] = this.window;
    return [Math.max(from - (to - from) / 2, -1), Math.min(to + (to - from) / 2, this.count)];
  }

  tickRoom() {
    const shown = (this.reach()[1] - this.reach()[0]) / (this.window[1] - this.window[0]);
    return Math.max(3, Math.floor((this.element.clientWidth / 84) * shown));
  }

  equityRange() {
    const [from, to] = this.seen();
    const { equity, held } = this.run.equity;
    const range = rangeOf([{ values: equity, from, to }]);
    if (held) {
      const [low, high] = rangeOf([{ values: held, from, to }]).map((x) => x * this.rebase());
      [range[0], range[1]] = [Math.min(range[0], low), Math.max(range[1], high)];
    }
    if (!this.logarithmic || range[0] <= 0) return { range: this.aired(range, "equity") };
    return { range: this.aired(range.map(Math.log10), "equity"), type: "log" };
  }

  drawdownRange() {
    const [from, to] = this.seen();
    const low = Math.min(rangeOf([{ values: this.drawdown, from, to }])[0], -0.001);
    return [low * 1.3, -low * 0.05];
  }

  priceRange() {
    const bars = this.bars.get(this.symbol);
    const prices = Float64Array.from(this.inView, (fill) => fill.price);
    const columns = [{ values: prices, from: 0, to: prices.length }];
    if (bars) {
      const [from, to] = this.barWindow(bars, this.window);
      const stop = Math.min(to + 1, bars.position.length);
      columns.push({ values: bars.low, from, to: stop }, { values: bars.high, from, to: stop });
    }
    return this.aired(rangeOf(columns), "price");
  }

  // A range with room below, and above for the line of figures.
  aired([low, high], name) {
    const span = high - low || Math.abs(high) * 0.02 || 1;
    const line = READOUT_PIXELS / this.panelHeight(name);
    return [low - 0.06 * span, high + (span * (0.04 + line)) / (1 - line)];
  }

  // The round trip picked in the table, shaded from entry to exit.
  shapes() {
    const initial = { type: "line", xref: "paper", x0: 0, x1: 1, yref: "y",
      y0: this.run.initial_cash, y1: this.run.initial_cash,
      line: { color: color("muted"), width: 1, dash: "dot" } };
    const fixed = [initial, ...this.fillShapes()];
    if (!this.selected) return fixed;
    const { from, to, gain, entry, exit } = this.selected;
    const shade = gain ? "gain" : "loss";
    const box = { type: "rect", xref: "x", x0: from, x1: to, yref: "paper", y0: 0, y1: 1,
      fillcolor: color(`${shade}-faint`), line: { width: 0 }, layer: "below" };
    const path = { type: "line", xref: "x", yref: "y3", x0: from, x1: to, y0: entry, y1: exit,
      line: { color: color(shade), width: 1.5, dash: "dash" } };
    return [...fixed, box, path];
  }

  select(trade) {
    const from = this.timeline.positionOf(trade.entry_time);
    const to = this.timeline.positionOf(trade.exit_time);
    this.selected = { from, to, gain: trade.pnl >= 0, entry: trade.entry_price,
      exit: trade.exit_price };
    if (this.bars.has(trade.symbol) || this.fills.has(trade.symbol)) this.symbol = trade.symbol;
    const air = Math.max((to - from) * 0.75, 12);
    return this.show(from - air, to + air);
  }
}

// Decimals that resolve a hundredth of a unit.
function digits(unit) {
  return Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(unit))));
}

function drawdownOf(equity, initial) {
  const below = new Float64Array(equity.length);
  for (let i = 0, peak = initial; i < equity.length; i++) {
    if (equity[i] > peak) peak = equity[i];
    below[i] = peak > 0 ? equity[i] / peak - 1 : 0;
  }
  return below;
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
