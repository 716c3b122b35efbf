/**
 * Schedule expressions of EventBridge Scheduler: `rate(5 minutes)`, `cron(0 12 * * ? *)`, `at(2026-01-31T10:00:00)`; times
 * are UTC (EventBridge Scheduler User Guide, "Schedule types").
 */

const UNIT_MS: Readonly<Record<string, number>> = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MONTH_NAMES = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAY_NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** A cron expression that has not fired within four years (a leap day) never will. */
const HORIZON_DAYS = 4 * 366 + 1;

/** Tells when a schedule fires next: milliseconds since the epoch after `afterMs`, or undefined when never again. */
export type NextFire = (afterMs: number) => number | undefined;

/** Reads an expression. Throws RangeError with what is wrong. A rate counts from `createdAtMs`. */
export function parseSchedule(expression: string, createdAtMs: number): NextFire {
  const [, kind, body = ''] = /^(rate|cron|at)\((.*)\)$/.exec(expression.trim()) ?? [];
  if (kind === 'rate') return rate(body, createdAtMs);
  if (kind === 'cron') return cron(body);
  if (kind === 'at') return at(body);
  throw new RangeError(`Invalid Schedule Expression ${expression}.`);
}

function rate(body: string, createdAtMs: number): NextFire {
  const [, count, unit] = /^(\d+) (second|minute|hour|day)s?$/.exec(body.trim()) ?? [];
  const everyMs = Number(count) * (UNIT_MS[unit ?? ''] ?? 0);
  if (!(everyMs > 0)) throw new RangeError(`Invalid Schedule Expression rate(${body}).`);
  return (afterMs) => createdAtMs + (Math.max(0, Math.floor((afterMs - createdAtMs) / everyMs)) + 1) * everyMs;
}

function at(body: string): NextFire {
  const timeMs = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/.test(body) ? Date.parse(`${body}Z`) : Number.NaN;
  if (Number.isNaN(timeMs)) throw new RangeError(`Invalid Schedule Expression at(${body}).`);
  return (afterMs) => (timeMs > afterMs ? timeMs : undefined);
}

interface Field {
  min: number;
  max: number;
  names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTH_NAMES },
  { min: 1, max: 7, names: DAY_NAMES },
  { min: 1970, max: 2199 },
];

function cron(body: string): NextFire {
  const parts = body.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) throw new RangeError(`a cron expression has six fields: ${body}`);
  const sets = parts.map((part, index) => values(part, FIELDS[index] ?? { min: 0, max: 0 }));
  const [minutes = [], hours = [], days = [], months = [], weekdays = [], years = []] = sets.map((set) => [...set]);
  const times = hours.flatMap((hour) => minutes.map((minute) => hour * 3_600_000 + minute * 60_000));
  const fits = (date: Date) =>
    years.includes(date.getUTCFullYear()) &&
    months.includes(date.getUTCMonth() + 1) &&
    days.includes(date.getUTCDate()) &&
    weekdays.includes(date.getUTCDay() + 1);
  return (afterMs) => {
    const start = new Date(afterMs);
    for (let day = 0; day < HORIZON_DAYS; day++) {
      const date = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate() + day));
      const time = fits(date) ? times.find((ms) => date.getTime() + ms > afterMs) : undefined;
      if (time !== undefined) return date.getTime() + time;
    }
    return undefined;
  };
}

function values(text: string, field: Field): Set<number> {
  const all = new Set<number>();
  for (const item of text.toUpperCase().split(',')) {
    const [range = '', step] = item.split('/');
    const [from, to] = bounds(range, field, step !== undefined);
    const every = step === undefined ? 1 : Number(step);
    if (!(from >= field.min && to <= field.max && every > 0)) throw new RangeError(`bad cron field '${text}'`);
    for (let value = from; value <= to; value += every) all.add(value);
  }
  return new Set([...all].sort((a, b) => a - b));
}

function bounds(range: string, field: Field, hasStep: boolean): [number, number] {
  if (range === '*' || range === '?') return [field.min, field.max];
  const [low = '', high] = range.split('-');
  const numberOf = (name: string) => {
    const at = field.names?.indexOf(name) ?? -1;
    return at >= 0 ? at + 1 : Number(name || Number.NaN);
  };
  const from = numberOf(low);
  if (high !== undefined) return [from, numberOf(high)];
  return [from, hasStep ? field.max : from];
}
