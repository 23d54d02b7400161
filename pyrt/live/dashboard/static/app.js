// The page: asks for the node's state once a second, and sends what a person orders.
"use strict";

const EVERY_MS = 1000;
const PATIENCE_MS = 5000;
const STANDS_NS = 5e9;
const CONFIRMED = {
  flatten: ["FLATTEN", "Entries are blocked, working orders canceled, and every position closed at the market."],
  resume: ["RESUME", "Orders may leave again, but for what the circuit breaker bars."],
  reset_breaker: ["RESET", "The circuit breaker is closed by hand: entries may leave again."],
};
const at = (id) => document.getElementById(id);
let session = { scope: "read", csrf: "" };

// ---- asking ----------------------------------------------------------------------------------

async function get(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE_MS) });
  if (answer.status === 401) { location.reload(); }
  return answer.json();
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": session.csrf },
    body: JSON.stringify(body),
  });
  return [answer.ok, await answer.json()];
}

// ---- showing: text is only ever set as text, so that no symbol or message becomes markup -------

function made(tag, text, kind) {
  const element = document.createElement(tag);
  if (text !== undefined) { element.textContent = text; }
  if (kind) { element.className = kind; }
  return element;
}

function money(value) {
  return Number.isFinite(value)
    ? value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }) : "–";
}

const number = (value) => (typeof value === "number" ? value.toLocaleString("en-US", { maximumFractionDigits: 9 }) : value ?? "–");
const clock = (ts) => (ts ? new Date(ts / 1e6).toISOString().replace("T", " ").slice(0, 23) : "–");
const signed = (value) => (value > 0 ? "good" : value < 0 ? "bad" : "");

function table(id, columns, rows, empty) {
  const element = at(id);
  const head = made("tr");
  for (const [title] of columns) { head.append(made("th", title)); }
  const lines = rows.map((row) => {
    const line = made("tr");
    for (const [, cell] of columns) {
      const value = cell(row);
      const box = made("td");
      if (value instanceof Node) { box.append(value); } else if (Array.isArray(value)) {
        box.textContent = value[0];
        box.className = value[1];
      } else { box.textContent = value; }
      line.append(box);
    }
    return line;
  });
  if (!lines.length) {
    const none = made("td", empty, "empty");
    none.colSpan = columns.length;
    const line = made("tr");
    line.append(none);
    lines.push(line);
  }
  element.replaceChildren(head, ...lines);
}

function meter(share) {
  const element = made("meter");
  Object.assign(element, { min: 0, max: 1, low: 0.7, high: 0.9, optimum: 0, value: Math.min(share, 1) });
  element.title = `${(100 * share).toFixed(1)} %`;
  return element;
}

const COLUMNS = {
  positions: [["Symbol", (p) => p.symbol], ["Quantity", (p) => number(p.quantity)],
    ["Average", (p) => number(p.average_price)], ["Last", (p) => number(p.last_price)],
    ["Value", (p) => money(p.market_value)],
    ["Unrealized", (p) => [money(p.unrealized_pnl), signed(p.unrealized_pnl)]],
    ["Realized", (p) => [money(p.realized_pnl), signed(p.realized_pnl)]],
    ["State", (p) => [p.state, p.state === "ACTIVE" ? "" : "bad"]]],
  orders: [["Order", (o) => o.client_order_id], ["Symbol", (o) => o.symbol], ["Side", (o) => o.side],
    ["Type", (o) => o.type], ["Quantity", (o) => number(o.quantity)], ["Filled", (o) => number(o.filled_quantity)],
    ["Limit", (o) => number(o.limit_price)], ["Stop", (o) => number(o.stop_price)],
    ["Status", (o) => [o.status + (o.is_unknown ? " (unknown)" : ""), o.is_unknown ? "warn" : ""]]],
  fills: [["Time (UTC)", (f) => clock(f.ts_event)], ["Symbol", (f) => f.symbol], ["Side", (f) => [f.side, f.side === "buy" ? "good" : "bad"]],
    ["Quantity", (f) => number(f.quantity)], ["Price", (f) => number(f.price)], ["Fee", (f) => money(f.fee)],
    ["Order", (f) => f.client_order_id]],
  strategies: [["Strategy", (s) => s.name],
    ["State", (s) => (s.running ? [s.state, s.state === "ACTIVE" ? "" : "bad"] : [`stopped: ${s.stopped}`, "bad"])],
    ["Orders", (s) => number(s.open_orders)], ["Value", (s) => money(s.market_value)],
    ["Unrealized", (s) => [money(s.unrealized_pnl), signed(s.unrealized_pnl)]],
    ["Realized", (s) => [money(s.realized_pnl), signed(s.realized_pnl)]]],
  limits: [["Limit", (l) => [l.name, l.symbol, l.strategy].filter(Boolean).join(" · ")], ["Used", (l) => number(l.used)], ["Most", (l) => number(l.limit)],
    ["", (l) => meter(l.share)]],
  connections: [["Connection", (c) => c.name], ["State", (c) => [c.state, c.is_up ? "good" : "bad"]],
    ["Since (UTC)", (c) => clock(c.since)], ["Reconnects", (c) => number(c.reconnects)]],
  latency: [["Stage", (s) => s.stage], ["Count", (s) => number(s.count)], ["p50 µs", (s) => number(s.p50_us)],
    ["p99 µs", (s) => number(s.p99_us)], ["Max µs", (s) => number(s.max_us)]],
};

function badges(state, stands) {
  const kind = { ok: "good", degraded: "warn", failed: "bad", ACTIVE: "good", REDUCING: "warn", HALTED: "bad",
    closed: "good", "half-open": "warn", open: "bad" };
  at("badges").replaceChildren(
    ...[stands ? ["stands still", "failed"] : [`health ${state.health}`, state.health], [state.trading_state, state.trading_state],
      [`breaker ${state.breaker}`, state.breaker], [state.ready ? "ready" : "not ready", state.ready ? "ok" : "degraded"],
      ...state.halted_symbols.map((symbol) => [`exchange halts ${symbol}`, "degraded"]),
      ...state.limited_symbols.map((symbol) => [`${symbol} at its price band`, "degraded"])]
      .map(([text, key]) => made("span", text, `badge ${kind[key] ?? ""}`)),
  );
}

function figures(account) {
  const rows = [["Equity", account.equity], ["Cash", account.cash], ["Day P&L", account.day_pnl, true],
    ["Total P&L", account.total_pnl, true], ["Market value", account.market_value],
    ["Gross exposure", account.gross_exposure], ["Buying power", account.buying_power]];
  at("figures").replaceChildren(...rows.map(([title, value, tells]) => {
    const box = made("div", undefined, "figure");
    box.append(made("b", money(value), tells ? signed(value) : ""), made("span", title));
    return box;
  }));
}

function show(state) {
  at("node").textContent = `${state.name} · ${state.mode} · account ${state.account_masked}`;
  at("time").textContent = `${clock(state.time)} UTC`;
  // By the node's own clock: a browser's, or a simulator's, says nothing.
  const stands = state.now - state.time > STANDS_NS;
  document.body.classList.toggle("old", stands);
  if (stands) {
    cry(`The trading loop stands still since ${clock(state.time)} UTC: all below is of then. Kill blocks orders all the same.`);
  } else { showAlarm(state); }
  badges(state, stands);
  figures(state.account);
  table("positions", COLUMNS.positions, state.positions, "No positions");
  table("orders", COLUMNS.orders, state.orders, "No open orders");
  table("fills", COLUMNS.fills, state.fills.slice(-50).reverse(), "No fills yet");
  table("strategies", COLUMNS.strategies, state.strategies, "No strategies yet");
  at("ramp").textContent = state.ramp === null || state.ramp === 1 ? "" : `(ramp: ${number(100 * state.ramp)} % of sizes and exposures)`;
  table("limits", COLUMNS.limits, state.limits, "No limits are set");
  table("connections", COLUMNS.connections, state.connections, "No connections");
  table("latency", COLUMNS.latency, state.latency.filter((s) => s.count), "Nothing measured yet");
  drawEquity(at("equity"), state.equity);
  chooseSymbol(state.symbols);
}

function cry(text) {
  at("alarm").hidden = false;
  at("alarm").className = "";
  at("alarm").textContent = text;
}

function showAlarm(state) {
  const alarm = state.alarms.at(-1);
  const isCalm = state.health === "ok" && state.trading_state === "ACTIVE" && state.breaker === "closed" && state.ready;
  at("alarm").hidden = !alarm;
  // What is over stays to be read, and cries no longer.
  at("alarm").className = isCalm ? "past" : "";
  at("alarm").textContent = alarm
    ? `${isCalm ? "Last alarm, " : ""}${clock(alarm.ts_event)} UTC · ${alarm.code}: ${alarm.text}` : "";
}

function chooseSymbol(symbols) {
  const select = at("symbol");
  const known = [...select.options].map((option) => option.value);
  if (known.join() === symbols.join()) { return; }
  const chosen = select.value;
  select.replaceChildren(...symbols.map((symbol) => {
    const option = made("option", symbol);
    option.value = symbol;
    return option;
  }));
  if (symbols.includes(chosen)) { select.value = chosen; }
}

async function showLog() {
  const lines = await get("/api/log");
  const box = at("log");
  const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 5;
  box.textContent = lines.join("\n");
  if (atEnd) { box.scrollTop = box.scrollHeight; }
}

async function turn() {
  try {
    show(await get("/api/state"));
    if (at("symbol").value) {
      drawPrice(at("price"), await get(`/api/prices?symbol=${encodeURIComponent(at("symbol").value)}`));
    }
    await showLog();
    document.body.dataset.turns = 1 + Number(document.body.dataset.turns ?? 0);
  } catch (error) {
    document.body.classList.add("old");
    cry(`The node does not answer, and all below is old: ${error.message}`);
  }
}

// ---- acting ----------------------------------------------------------------------------------

// A second click says nothing new while the first is on its way; a kill is never held back.
const asked = new Set();

function tell(text, kind = "") {
  at("outcome").className = kind;
  at("outcome").textContent = text;
}

async function act(action, more = {}) {
  if (asked.has(action) && action !== "halt") { return; }
  asked.add(action);
  tell(`${action}…`);
  try {
    const [ok, answer] = await post("/api/control", { action, ...more });
    tell(answer.message ?? JSON.stringify(answer), ok ? "" : "bad");
  } catch (error) {
    tell(`${action}: no answer, and nobody knows whether it was done (${error.message})`, "bad");
  } finally {
    asked.delete(action);
  }
  await turn();
}

function confirmed(action) {
  const [word, text] = CONFIRMED[action];
  at("confirm-title").textContent = action;
  at("confirm-text").textContent = text;
  at("word").textContent = word;
  at("typed").value = "";
  at("confirm").returnValue = "";
  at("confirm").onclose = () => {
    if (at("confirm").returnValue === "go") {
      act(action, { actor: at("actor").value, reason: at("reason").value, typed: at("typed").value });
    } else {
      // What stood there before would be taken for the answer.
      tell(`${action}: nothing was done`, "bad");
    }
  };
  // Not a button that submits: of those, Enter presses the first, and has to do what it says.
  at("back").onclick = () => at("confirm").close();
  at("confirm").showModal();
}

async function begin() {
  session = await get("/api/session");
  at("controls").hidden = session.scope !== "control";
  for (const button of document.querySelectorAll("[data-action]")) {
    const { action } = button.dataset;
    button.onclick = () => (action in CONFIRMED ? confirmed(action) : act(action));
  }
  at("symbol").onchange = turn;
  await turn();
  setInterval(turn, EVERY_MS);
}

begin();
