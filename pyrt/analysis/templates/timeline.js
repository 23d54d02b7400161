// The horizontal axis: positions are indices of the equity curve, so that nights and weekends
// take no room. An instant between two points lies between their indices; the idle part of a gap
// is squeezed into its first fiftieth, which keeps the map strictly increasing and invertible.

const IDLE = 0.02;
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

// First index whose value is >= x.
function lowerBound(values, x) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

// First index whose value is > x.
function upperBound(values, x) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

class Timeline {
  constructor(times, zone) {
    this.times = times;
    this.step = Timeline.commonStep(times);
    this.clock = new Clock(zone);
  }

  static commonStep(times) {
    const sample = [];
    const stride = Math.max(1, Math.floor(times.length / 1001));
    for (let i = 1; i < times.length; i += stride) sample.push(times[i] - times[i - 1]);
    sample.sort((a, b) => a - b);
    return sample.length ? sample[sample.length >> 1] : MINUTE;
  }

  // Position of an instant in ms.
  positionOf(time) {
    const last = this.times.length - 1;
    const i = upperBound(this.times, time) - 1;
    if (i < 0) return (time - this.times[0]) / this.step;
    const past = time - this.times[i];
    if (i === last) return i + past / this.step;
    const idle = this.times[i + 1] - this.times[i] - this.step;
    if (idle <= this.step / 2) return i + past / (this.times[i + 1] - this.times[i]);
    if (past <= idle) return i + (IDLE * past) / idle;
    return i + IDLE + ((1 - IDLE) * (past - idle)) / this.step;
  }

  // Instant at a position; the inverse of positionOf.
  timeAt(position) {
    const last = this.times.length - 1;
    const i = Math.floor(position);
    if (i < 0) return this.times[0] + position * this.step;
    if (i >= last) return this.times[last] + (position - last) * this.step;
    const part = position - i;
    const idle = this.times[i + 1] - this.times[i] - this.step;
    if (idle <= this.step / 2) return this.times[i] + part * (this.times[i + 1] - this.times[i]);
    if (part <= IDLE) return this.times[i] + (part / IDLE) * idle;
    return this.times[i] + idle + ((part - IDLE) / (1 - IDLE)) * this.step;
  }

  // Tick positions and labels on calendar boundaries, the finest that leave room for their text.
  ticks(from, to, room) {
    const [start, end] = [this.timeAt(from), this.timeAt(to)];
    for (const unit of TICK_UNITS) {
      if ((end - start) / unit.ms > 4000) continue;
      const ticks = this.boundaries(unit, start, end);
      if (ticks.length <= room || unit === TICK_UNITS[TICK_UNITS.length - 1]) {
        return { values: ticks.map((t) => t.position), labels: this.clock.tickLabels(ticks, unit) };
      }
    }
    return { values: [], labels: [] };
  }

  // Boundaries inside one idle gap are one tick, at the open of the first bar after it; it takes
  // the place of a tick on the last point before the gap, which would touch it.
  boundaries(unit, start, end) {
    const ticks = [];
    for (let time = this.clock.floor(start, unit); time <= end; time = this.clock.next(time, unit)) {
      const index = lowerBound(this.times, time);
      const last = ticks[ticks.length - 1];
      if (time < start || index >= this.times.length || last?.index === index) continue;
      const opened = this.times[index] - this.step;
      const idle = opened > time;
      if (idle && last?.index === index - 1) ticks.pop();
      const shown = idle ? (unit.ms < DAY ? opened : this.times[index]) : time;
      ticks.push({ index, time: shown, position: this.positionOf(idle ? opened : time) });
    }
    return ticks;
  }
}

const TICK_UNITS = [
  ...[1, 5, 15, 30].map((n) => ({ ms: n * SECOND })),
  ...[1, 5, 15, 30].map((n) => ({ ms: n * MINUTE })),
  ...[1, 2, 6, 12].map((n) => ({ ms: n * HOUR })),
  ...[1, 2].map((n) => ({ ms: n * DAY })),
  { ms: 7 * DAY, days: 7 },
  ...[1, 2, 3, 6].map((n) => ({ ms: n * 30.4 * DAY, months: n })),
  ...[1, 2, 5, 10, 20].map((n) => ({ ms: n * 365 * DAY, months: 12 * n })),
];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const two = (n) => String(n).padStart(2, "0");

// Wall-clock fields of one time zone.
class Clock {
  constructor(zone) {
    this.zone = zone;
    this.offsets = new Map();
    if (zone !== "UTC") {
      const fields = ["year", "month", "day", "hour", "minute", "second"];
      const options = Object.fromEntries(fields.map((field) => [field, "numeric"]));
      const fixed = { ...options, hourCycle: "h23", timeZone: zone };
      this.format = new Intl.DateTimeFormat("en-US", fixed);
    }
  }

  // Zone's offset from UTC in ms; zones change theirs on quarter hours only.
  offset(time) {
    if (!this.format) return 0;
    const slot = Math.floor(time / (15 * MINUTE));
    if (!this.offsets.has(slot)) {
      const at = slot * 15 * MINUTE;
      const parts = this.format.formatToParts(at).map((part) => [part.type, Number(part.value)]);
      const { year, month, day, hour, minute, second } = Object.fromEntries(parts);
      this.offsets.set(slot, Date.UTC(year, month - 1, day, hour, minute, second) - at);
    }
    return this.offsets.get(slot);
  }

  // A Date whose UTC fields are the zone's wall clock.
  wall(time) {
    return new Date(time + this.offset(time));
  }

  fromWall(wall) {
    const guess = wall - this.offset(wall);
    return wall - this.offset(guess);
  }

  floor(time, unit) {
    const wall = this.wall(time);
    if (unit.months) {
      const month = 12 * wall.getUTCFullYear() + wall.getUTCMonth();
      return this.fromWall(monthStart(month - (month % unit.months)));
    }
    const shift = unit.days ? 4 * DAY : 0; // weeks start on Monday; 1970-01-01 was a Thursday
    return this.fromWall(Math.floor((wall.getTime() - shift) / unit.ms) * unit.ms + shift);
  }

  next(time, unit) {
    if (unit.months) {
      const wall = this.wall(time);
      const month = 12 * wall.getUTCFullYear() + wall.getUTCMonth();
      return this.fromWall(monthStart(month + unit.months));
    }
    return this.fromWall(this.wall(time).getTime() + unit.ms);
  }

  tickLabels(ticks, unit) {
    let previous = null;
    return ticks.map(({ time }) => {
      const wall = this.wall(time);
      const label = this.tickLabel(wall, previous, unit);
      previous = wall;
      return label;
    });
  }

  tickLabel(wall, previous, unit) {
    const year = wall.getUTCFullYear();
    const newYear = !previous || previous.getUTCFullYear() !== year;
    const month = MONTHS[wall.getUTCMonth()];
    if (unit.months >= 12) return String(year);
    if (unit.months) return newYear ? `${month}<br><b>${year}</b>` : month;
    const day = `${wall.getUTCDate()} ${month}`;
    if (unit.ms >= DAY) return newYear ? `${day}<br><b>${year}</b>` : day;
    const fine = unit.ms < MINUTE ? `:${two(wall.getUTCSeconds())}` : "";
    const hour = `${two(wall.getUTCHours())}:${two(wall.getUTCMinutes())}${fine}`;
    const newDay = newYear || previous.getUTCDate() !== wall.getUTCDate();
    return newDay ? `${hour}<br><b>${day}${previous && !newYear ? "" : ` ${year}`}</b>` : hour;
  }

  // 2020-01-06 15:20:00, with milliseconds where there are any.
  stamp(time) {
    const wall = this.wall(time);
    const text = wall.toISOString().replace("T", " ").slice(0, 23);
    return text.endsWith(".000") ? text.slice(0, 19) : text;
  }
}

function monthStart(month) {
  return Date.UTC(Math.floor(month / 12), month % 12, 1);
}
