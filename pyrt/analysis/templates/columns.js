// Columns as the page carries them: base64 of deflated integers, unpacked into typed arrays.

async function inflate(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

const unpackers = {
  // Values on a decimal grid. Dividing by a power of ten gives the nearest double, as Python does.
  async grid(column) {
    const steps = new Int32Array(await inflate(column.data));
    const values = new Float64Array(column.n);
    const up = column.decimals >= 0 ? 10 ** column.decimals : 1;
    const down = column.decimals < 0 ? 10 ** -column.decimals : 1;
    for (let i = 0, raw = 0; i < column.n; i++) {
      raw += steps[i];
      values[i] = (raw * down) / up;
    }
    return values;
  },
  async time(column) {
    const steps = new Int32Array(await inflate(column.data));
    const values = new Float64Array(column.n);
    values[0] = column.first;
    for (let i = 1; i < column.n; i++) values[i] = values[i - 1] + steps[i - 1] * column.unit;
    return values;
  },
  async f64(column) {
    return new Float64Array(await inflate(column.data));
  },
  async text(column) {
    const codes = await unpackers.grid(column.codes);
    return Array.from(codes, (code) => column.names[code]);
  },
};

// Replace every packed column in a document by its values.
async function unpack(value) {
  if (Array.isArray(value) || value === null || typeof value !== "object") return value;
  if (typeof value.kind === "string" && value.kind in unpackers) {
    return unpackers[value.kind](value);
  }
  const entries = Object.entries(value);
  const unpacked = await Promise.all(entries.map(([, item]) => unpack(item)));
  return Object.fromEntries(entries.map(([key], i) => [key, unpacked[i]]));
}
