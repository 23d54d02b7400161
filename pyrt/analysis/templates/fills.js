// Fills by symbol, in order of position.
class FillIndex {
  constructor(run, timeline) {
    this.bySymbol = new Map();
    const fills = run.fills;
    for (let i = 0; i < fills.ts.length; i++) {
      const symbol = fills.symbol[i];
      if (!this.bySymbol.has(symbol)) this.bySymbol.set(symbol, []);
      this.bySymbol.get(symbol).push({
        ts: fills.ts[i], position: timeline.positionOf(fills.ts[i]), symbol,
        side: fills.side[i].toUpperCase().startsWith("B") ? "buy" : "sell",
        quantity: fills.quantity[i], price: fills.price[i], fee: fills.fee[i],
        strategy: fills.strategy[i],
      });
    }
    this.positions = new Map();
    for (const [symbol, list] of this.bySymbol) {
      list.sort((a, b) => a.position - b.position);
      this.positions.set(symbol, Float64Array.from(list, (fill) => fill.position));
    }
  }

  has(symbol) {
    return this.bySymbol.has(symbol);
  }

  within(symbol, from, to) {
    const list = this.bySymbol.get(symbol);
    if (!list) return [];
    const positions = this.positions.get(symbol);
    return list.slice(lowerBound(positions, from), upperBound(positions, to));
  }

  // The symbol with the most fills; else the first of those given.
  busiest(symbols) {
    let best = symbols[0], most = 0;
    for (const [symbol, list] of this.bySymbol) {
      if (list.length > most) [best, most] = [symbol, list.length];
    }
    return best;
  }
}
