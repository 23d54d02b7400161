// Level of detail: what is drawn for a window, no more than the screen can show.
// Buckets are powers of two and start at their multiples, so that panning never makes lines shimmer.

function bucketSize(count, most) {
  let size = 1;
  while (count / size > most) size *= 2;
  return size;
}

// A line through the extremes of each bucket of values[from..to), in their order.
function extremes(values, from, to, most) {
  const size = bucketSize(to - from, most);
  const x = [], y = [];
  const push = (i) => {
    x.push(i);
    y.push(values[i]);
  };
  if (size <= 2) {
    for (let i = from; i < to; i++) push(i);
    return { x, y };
  }
  for (let start = from - (from % size); start < to; start += size) {
    const stop = Math.min(start + size, to);
    let low = Math.max(start, from), high = low;
    for (let i = low + 1; i < stop; i++) {
      if (values[i] < values[low]) low = i;
      if (values[i] > values[high]) high = i;
    }
    push(Math.min(low, high));
    if (low !== high) push(Math.max(low, high));
  }
  if (x.length && x[x.length - 1] !== to - 1) push(to - 1);
  return { x, y };
}

// Bars [from, to) joined into coarser bars of one bucket each.
function joinBars(bars, from, to, most) {
  const size = bucketSize(to - from, most);
  const joined = { size, x: [], left: [], open: [], high: [], low: [], close: [] };
  for (let start = from - (from % size); start < to; start += size) {
    const first = Math.max(start, from), last = Math.min(start + size, to) - 1;
    let high = bars.high[first], low = bars.low[first];
    for (let i = first + 1; i <= last; i++) {
      if (bars.high[i] > high) high = bars.high[i];
      if (bars.low[i] < low) low = bars.low[i];
    }
    joined.left.push(first ? bars.position[first - 1] : bars.position[first] - 1);
    joined.x.push(bars.position[last]);
    joined.open.push(bars.open[first]);
    joined.high.push(high);
    joined.low.push(low);
    joined.close.push(bars.close[last]);
  }
  return joined;
}

// Least and greatest of the given stretches of values; [0, 1] when they are empty.
function rangeOf(columns) {
  let low = Infinity, high = -Infinity;
  for (const { values, from, to } of columns) {
    for (let i = from; i < to; i++) {
      if (values[i] < low) low = values[i];
      if (values[i] > high) high = values[i];
    }
  }
  return low <= high ? [low, high] : [0, 1];
}
