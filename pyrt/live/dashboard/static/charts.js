// The two charts, drawn by the library that the package plotly ships.
"use strict";

const ink = () => getComputedStyle(document.body).color;

// Dollars and cents, and prices of coins far below a cent; never thousands cut to a "k".
const CENTS = ",.2f";
const PRICE = ",.8~f";

function layoutOf(tickformat) {
  return {
    margin: { l: 55, r: 10, t: 5, b: 30 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink(), size: 11 },
    xaxis: { type: "date", gridcolor: "rgba(128,128,128,.2)", hoverformat: "%Y-%m-%d %H:%M:%S UTC" },
    yaxis: { gridcolor: "rgba(128,128,128,.2)", automargin: true, tickformat },
    showlegend: false,
    uirevision: "keep",
  };
}

// Texts: the library shows a Date, and a number too, in the browser's zone; all else on the page is UTC.
const times = (stamps) => stamps.map((ts) => new Date(ts / 1e6).toISOString());

// Without the package the page has all but its charts; an error here would be taken for a node that is gone.
function draw(element, traces, layout) {
  if (typeof Plotly === "undefined") {
    element.textContent = "No charts: the node's machine lacks plotly (pip install 'pyrt[analysis]').";
    return;
  }
  Plotly.react(element, traces, layout, { displayModeBar: false, responsive: true });
}

function drawEquity(element, points) {
  const line = { x: times(points.ts), y: points.equity, mode: points.ts.length < 3 ? "lines+markers" : "lines", line: { width: 1.6, color: "#3b82f6" } };
  draw(element, [line], layoutOf(CENTS));
}

function marks(fills, side, color, symbol) {
  const chosen = fills.filter((fill) => fill.side === side);
  return {
    x: times(chosen.map((fill) => fill.ts_event)),
    y: chosen.map((fill) => fill.price),
    text: chosen.map((fill) => `${side} ${fill.quantity} @ ${fill.price}`),
    hoverinfo: "text+x",
    mode: "markers",
    marker: { symbol, size: 10, color, line: { width: 1, color: ink() } },
  };
}

function drawPrice(element, prices) {
  const line = { x: times(prices.ts), y: prices.close, mode: "lines", line: { width: 1.2, color: "#98a2b3" } };
  const traces = [
    line,
    marks(prices.fills, "buy", "#12a066", "triangle-up"),
    marks(prices.fills, "sell", "#dc2626", "triangle-down"),
  ];
  const layout = layoutOf(PRICE);
  layout.uirevision = prices.symbol;
  draw(element, traces, layout);
}
