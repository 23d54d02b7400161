// Start the page: unpack the data, draw, connect the controls.

const SPANS = [
  ["1D", DAY], ["1W", 7 * DAY], ["1M", 30.4 * DAY], ["3M", 91.3 * DAY], ["1Y", 365.25 * DAY],
  ["5Y", 5 * 365.25 * DAY],
];

const LEAST_POINTS = 15; // a button for a shorter span would show next to nothing

async function start() {
  const run = await unpack(JSON.parse(document.getElementById("run-data").textContent));
  connectTheme(() => undefined);
  if (run.equity.ts.length < 2) {
    document.getElementById("charts").hidden = true;
    drawHistogram(run);
    expose(null);
    return;
  }
  const chart = new Chart(document.getElementById("chart"), run, new Timeline(run.equity.ts, run.zone));
  await chart.draw();
  connectControls(chart);
  connectTheme(() => {
    chart.redraw();
    drawHistogram(run);
  });
  const trades = document.getElementById("trades");
  if (trades) new TradeTable(trades, run, chart).start();
  drawHistogram(run);
  expose(chart);
}

function connectTheme(changed) {
  document.getElementById("theme").onclick = () => {
    const dark = color("scheme") === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    changed();
  };
}

function connectControls(chart) {
  const { times } = chart.timeline;
  const span = times[times.length - 1] - times[0];
  const spans = document.getElementById("spans");
  const useful = ([, length]) => length < span && length > LEAST_POINTS * chart.timeline.step;
  for (const [name, length] of SPANS.filter(useful)) {
    addButton(spans, name, () => chart.showTimes(times[times.length - 1] - length,
      times[times.length - 1] + chart.timeline.step));
  }
  addButton(spans, "All", () => chart.show(...chart.whole()));
  const log = document.getElementById("log");
  log.addEventListener("click", () => {
    chart.logarithmic = !chart.logarithmic;
    log.setAttribute("aria-pressed", String(chart.logarithmic));
    chart.redraw();
  });
  document.getElementById("save").addEventListener("click", () => {
    const { clientWidth: width, clientHeight: height } = chart.element;
    Plotly.downloadImage(chart.element, { format: "png", filename: "backtest", width, height });
  });
  connectSymbols(chart);
  connectWheel(chart);
  document.addEventListener("keydown", (event) => steer(chart, event));
}

function connectSymbols(chart) {
  const select = document.getElementById("symbol");
  const symbols = new Set([...chart.bars.keys(), ...chart.fills.bySymbol.keys()]);
  for (const symbol of symbols) select.add(new Option(symbol, symbol));
  select.value = chart.symbol ?? "";
  select.hidden = symbols.size < 2;
  select.addEventListener("change", () => chart.showSymbol(select.value));
  chart.element.addEventListener("picked", () => (select.value = chart.symbol));
}

function addButton(parent, name, action) {
  const button = document.createElement("button");
  button.textContent = name;
  button.addEventListener("click", action);
  parent.append(button);
}

// A pinch, or the wheel with Ctrl, zooms around the pointer; a sideways wheel pans. The plain wheel
// is left to the page. Moves between two frames are drawn once.
function connectWheel(chart) {
  let waiting = null;
  const draw = (from, to) => {
    if (waiting === null) requestAnimationFrame(() => {
      const [start, stop] = waiting;
      waiting = null;
      chart.show(start, stop);
    });
    waiting = [from, to];
  };
  chart.element.addEventListener("wheel", (event) => {
    const [from, to] = waiting ?? chart.window;
    const zooms = event.ctrlKey || event.metaKey;
    if (!zooms && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
    event.preventDefault();
    const width = to - from;
    if (!zooms) {
      const move = (event.deltaX / chart.panelWidth()) * width;
      return draw(from + move, to + move);
    }
    const left = chart.element.getBoundingClientRect().left + MARGIN.l;
    const share = Math.min(Math.max((event.clientX - left) / chart.panelWidth(), 0), 1);
    const grown = width * Math.exp(Math.max(-100, Math.min(100, event.deltaY)) / 250);
    const pivot = from + share * width;
    return draw(pivot - share * grown, pivot + (1 - share) * grown);
  }, { passive: false });
}

// Arrow keys pan, plus and minus zoom, 0 shows all; never while something is typed.
function steer(chart, event) {
  if (event.target.matches("input, select, tr") || event.ctrlKey || event.metaKey) return;
  const [from, to] = chart.window;
  const width = to - from;
  const moves = {
    ArrowLeft: () => chart.show(from - width / 4, to - width / 4),
    ArrowRight: () => chart.show(from + width / 4, to + width / 4),
    "+": () => chart.show(from + width / 4, to - width / 4),
    "-": () => chart.show(from - width / 2, to + width / 2),
    0: () => chart.show(...chart.whole()),
  };
  if (event.key in moves) {
    event.preventDefault();
    moves[event.key]();
  }
}

function drawHistogram(run) {
  const element = document.getElementById("histogram");
  if (!element) return;
  const { edges, counts } = run.histogram;
  const middles = counts.map((_, i) => (edges[i] + edges[i + 1]) / 2);
  const axis = { gridcolor: color("grid"), zeroline: false, fixedrange: true,
    tickfont: { color: color("muted"), size: 11 } };
  Plotly.react(element, [{
    type: "bar", x: middles, y: counts, width: (edges[1] - edges[0]) * 0.92,
    marker: { color: middles.map((middle) => color(middle < 0 ? "loss-soft" : "gain-soft")) },
    hovertemplate: "%{y} days around %{x:.2%}<extra></extra>",
  }], {
    margin: { l: 44, r: 10, t: 8, b: 30 }, bargap: 0, showlegend: false, dragmode: false,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    xaxis: { ...axis, tickformat: ".2~%" }, yaxis: axis,
  }, { responsive: true, displayModeBar: false });
}

// For scripts and tests: what is in view, in times (ms, UTC), and how many marks are on screen.
function expose(chart) {
  const inView = () => {
    const [start, end] = chart.window.map((position) => chart.timeline.timeAt(position));
    return { start, end };
  };
  window.pyrtReport = {
    chart,
    window: inView,
    setWindow: (start, end) => chart.showTimes(start, end).then(inView),
    visibleFills: () => (chart ? chart.visibleFills() : []),
    marks: () => countMarks(document.getElementById("chart")),
    ready_ms: performance.now(),
  };
  document.documentElement.dataset.ready = "true";
}

// Marks drawn for fills: elements of their own, or the triangles of a side's path.
function countMarks(element) {
  const apart = element.querySelectorAll(
    ".traceBuys .points path, .traceSells .points path");
  const paths = element.querySelectorAll(".shapelayer path");
  const triangles = Array.from(paths, (path) => path.getAttribute("d").match(/M[^MHV]*L[^MHV]*Z/g));
  return apart.length + triangles.reduce((sum, found) => sum + (found?.length ?? 0), 0);
}

start();
