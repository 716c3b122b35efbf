import type { JsonObject } from '../wire/json.ts';
import { StateError } from './state-error.ts';

/** Most events of one execution, as on AWS for standard workflows. */
const MAX_EVENTS = 25_000;

/** One event as GetExecutionHistory returns it: `timestamp` in seconds since the epoch, details under `{type}EventDetails`. */
export interface HistoryEvent {
  id: number;
  previousEventId: number;
  timestamp: number;
  type: string;
  [details: string]: unknown;
}

/**
 * Where a run writes its events. A trail follows one line of causes (the execution, a branch, an iteration): each event
 * names the one before it on its own line.
 */
export interface Trail {
  /** Adds an event. Throws `States.Runtime` when the limit is reached, unless the event ends the execution (`final`). */
  add(type: string, details?: JsonObject, final?: boolean): void;
  /** Adds an event beside the line: what follows names the event before it. */
  note(type: string, details?: JsonObject, final?: boolean): void;
  /** The id of this line's last event. */
  readonly last: number;
  /** A new line that begins at this line's last event. */
  fork(): Trail;
  /** Goes on after the last event of another line: of a branch or an iteration that has ended. */
  join(line: Trail): void;
}

/** Members under which AWS puts an event's details, where it is not the event's own name. */
const DETAILS: readonly [RegExp, string][] = [
  [/StateEntered$/, 'stateEntered'],
  [/StateExited$/, 'stateExited'],
];

/**
 * Goes on with a history. `events` grows in place. As on AWS, what follows the start of the execution names no event before it, and so does
 * what comes from outside (`follows` false).
 */
export function trail(events: HistoryEvent[], follows = true): Trail {
  const line = (last: number): Trail => {
    let previous = last;
    const write = (type: string, details: JsonObject | undefined, final = false): number => {
      if (events.length >= MAX_EVENTS - 1 && !final) {
        const text = `The execution reached the maximum number of history events (${MAX_EVENTS}).`;
        throw new StateError('States.Runtime', text);
      }
      const id = events.length + 1;
      const base = { id, previousEventId: previous, timestamp: Date.now() / 1000, type };
      events.push(details === undefined ? base : { ...base, [`${detailsKey(type)}EventDetails`]: details });
      return id;
    };
    return {
      add: (type, details, final) => {
        previous = write(type, details, final);
      },
      note: (type, details, final) => {
        write(type, details, final);
      },
      get last() {
        return previous;
      },
      fork: () => line(previous),
      join: (other) => {
        previous = other.last;
      },
    };
  };
  return line(follows && events.length > 1 ? events.length : 0);
}

function detailsKey(type: string): string {
  const special = DETAILS.find(([pattern]) => pattern.test(type));
  return special?.[1] ?? (type[0] ?? '').toLowerCase() + type.slice(1);
}
