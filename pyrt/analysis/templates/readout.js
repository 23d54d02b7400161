// The figures under the pointer, read from the full data whatever detail is drawn.

class Readout {
  constructor(element, chart) {
    this.element = element;
    this.chart = chart;
    this.line = element.parentElement.querySelector(".crosshair");
    this.parts = Object.fromEntries(
      Object.keys(PANELS).map((name) => [
        name, element.parentElement.querySelector(`.readout[data-panel="${name}"]`),
      ]),
    );
  }

  listen() {
    this.place();
    this.rest();
    const area = this.element.parentElement;
    area.addEventListener("mousemove", (event) => this.point(event));
    area.addEventListener("mouseleave", () => this.leave());
    window.addEventListener("resize", () => this.place());
  }

  place() {
    const height = this.element.clientHeight - MARGIN.t - MARGIN.b;
    for (const [name, [bottom, top]] of Object.entries(PANELS)) {
      // Drawdowns hang from the top of their panel: their figures stand at its foot.
      const y = name === "drawdown" ? (1 - bottom) * height - READOUT_PIXELS : (1 - top) * height;
      this.parts[name].style.top = `${MARGIN.t + y + 2}px`;
    }
    this.line.style.top = `${MARGIN.t}px`;
    this.line.style.height = `${height}px`;
  }

  point(event) {
    const left = this.element.getBoundingClientRect().left;
    const width = this.element.clientWidth - MARGIN.l - MARGIN.r;
    const share = (event.clientX - left - MARGIN.l) / width;
    if (share < 0 || share > 1) return this.leave();
    const [from, to] = this.chart.window;
    const position = from + share * (to - from);
    // A point owns the room before it, as its bar does.
    const index = Math.min(Math.max(Math.ceil(position), 0), this.chart.count - 1);
    this.line.style.left = `${event.clientX - left}px`;
    this.line.hidden = false;
    return this.write(index);
  }

  leave() {
    this.line.hidden = true;
    this.rest();
  }

  // Without a pointer: the figures at the right edge of the window.
  rest() {
    this.write(Math.max(0, Math.min(Math.floor(this.chart.window[1]), this.chart.count - 1)));
  }

  write(index) {
    const { run, timeline, drawdown, symbol } = this.chart;
    const { equity, held } = run.equity;
    const hold = held ? ` <i>Buy and hold</i> ${money(held[index])}` : "";
    const when = `<b>${timeline.clock.stamp(timeline.times[index])}</b>`;
    this.parts.equity.innerHTML = `${when} <i>Equity</i> <em>${money(equity[index])}</em>${hold}`;
    this.parts.drawdown.innerHTML = `<i>Drawdown</i> ${percent(drawdown[index])}`;
    this.parts.price.innerHTML = symbol
      ? `<b>${escapeHtml(symbol)}</b>${this.bar(timeline.times[index])}` : "<i>No prices</i>";
  }

  bar(time) {
    const bars = this.chart.bars.get(this.chart.symbol);
    const i = bars ? upperBound(bars.times, time) - 1 : -1;
    if (i < 0) return "";
    const part = (name, column) => ` <i>${name}</i> ${format(bars[column][i])}`;
    return part("O", "open") + part("H", "high") + part("L", "low") + part("C", "close") +
      (bars.volume ? part("V", "volume") : "");
  }
}
