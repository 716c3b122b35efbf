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
  /** A new line that begins at this line's last event. */
  fork(): Trail;
}

/** Members under which AWS puts an event's details, where it is not the event's own name. */
const DETAILS: readonly [RegExp, string][] = [
  [/StateEntered$/, 'stateEntered'],
  [/StateExited$/, 'stateExited'],
];

/** Starts a history. `events` grows in place. */
export function trail(events: HistoryEvent[]): Trail {
  const line = (last: number): Trail => {
    let previous = last;
    return {
      add: (type, details, final = false) => {
        if (events.length >= MAX_EVENTS - 1 && !final) {
          const text = `The execution reached the maximum number of history events (${MAX_EVENTS}).`;
          throw new StateError('States.Runtime', text);
        }
        const id = events.length + 1;
        const base = { id, previousEventId: previous, timestamp: Date.now() / 1000, type };
        events.push(details === undefined ? base : { ...base, [`${detailsKey(type)}EventDetails`]: details });
        previous = id;
      },
      fork: () => line(previous),
    };
  };
  return line(events.length);
}

function detailsKey(type: string): string {
  const special = DETAILS.find(([pattern]) => pattern.test(type));
  return special?.[1] ?? (type[0] ?? '').toLowerCase() + type.slice(1);
}
