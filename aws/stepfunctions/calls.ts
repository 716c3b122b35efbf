import type { HistoryEvent } from '@aws-sdk/client-sfn';

/** Of a call that is under way; each names the event before it on its line of causes (API reference, HistoryEvent). */
const UNDER_WAY: ReadonlySet<string | undefined> = new Set(['TaskScheduled', 'TaskStarted', 'TaskSubmitted']);

/** Since when the oldest call that has not ended is under way; undefined when none is. Milliseconds. */
export function oldestCallMs(
  events: readonly Pick<HistoryEvent, 'id' | 'previousEventId' | 'timestamp' | 'type'>[],
): number | undefined {
  const followed = new Set(events.map(({ previousEventId }) => previousEventId));
  const open = events.filter(({ id, type }) => UNDER_WAY.has(type) && !followed.has(id));
  const times = open.flatMap(({ timestamp }) => timestamp?.getTime() ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}
