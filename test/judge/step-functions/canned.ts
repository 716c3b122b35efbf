/** Answers of functions and services as AWS recorded them: a task that is called with the recorded parameters gets the recorded end. */
import { isDeepStrictEqual } from 'node:util';
import type { TaskPorts } from '../../../local/stepfunctions/run.ts';
import { StateError } from '../../../local/stepfunctions/state-error.ts';
import { isObject, type Json, type JsonObject } from '../../../local/wire/json.ts';
import { filled, parsed } from './placeholders.ts';
import type { RecordedEvent } from './records.ts';

/** One recorded call: what the task was given and how it ended. */
interface Call {
  readonly payload: Json;
  readonly end: { output: Json } | { error: string; cause: string } | 'never';
}

/** The outside of one recorded execution. Calls that AWS's history hides (children of a distributed map) answer what they are given. */
export function cannedPorts(events: readonly RecordedEvent[]): Omit<TaskPorts, 'issueToken'> {
  const calls = callsOf(events);
  const answer = async (given: Json, take: (output: Json) => Json): Promise<Json> => {
    const equal = calls.findIndex((call) => isDeepStrictEqual(call.payload, given));
    const [call] = calls.splice(Math.max(0, equal), 1);
    if (call === undefined) return given;
    if (call.end === 'never') return await new Promise<Json>(() => undefined);
    if ('error' in call.end) throw new StateError(call.end.error, call.end.cause);
    return take(call.end.output);
  };
  return {
    invokeFunction: (_name, payload) =>
      answer(payload, (output) => (isObject(output) && 'Payload' in output ? (output['Payload'] ?? null) : output)),
    runContainer: (_definition, overrides) => answer(overrides, (output) => output),
    putEvents: (entries) => answer(entries, (output) => output),
  };
}

const outputOf = (details: JsonObject): Json => {
  const output = details['output'] ?? null;
  return filled(typeof output === 'string' ? (parsed(output) as Json) : output);
};

function callsOf(events: readonly RecordedEvent[]): Call[] {
  return events
    .filter(({ type }) => /Scheduled$/.test(type))
    .map((event) => ({
      payload: filled(payloadOf(event)),
      end: endOf(events, event),
    }));
}

function payloadOf(scheduled: RecordedEvent): Json {
  const details = detailsOf(scheduled);
  const parameters = details['parameters'];
  if (!isObject(parameters)) return details['input'] ?? {};
  return parameters['Payload'] ?? parameters['Entries'] ?? {};
}

function endOf(events: readonly RecordedEvent[], scheduled: RecordedEvent): Call['end'] {
  let id = scheduled.id;
  for (const event of events) {
    if (event.previousEventId !== id) continue;
    if (/(Started|Submitted)$/.test(event.type)) id = event.id;
    const details = detailsOf(event);
    if (/Succeeded$/.test(event.type)) return { output: outputOf(details) };
    if (/(Failed|TimedOut)$/.test(event.type)) {
      const error = String(details['error'] ?? '');
      if (/^States\.(Timeout|HeartbeatTimeout)$/.test(error)) return 'never';
      const cause = details['cause'] ?? '';
      return { error, cause: typeof cause === 'string' ? cause : JSON.stringify(cause) };
    }
  }
  return endInOrder(events, scheduled);
}

/** Where the order between branches was taken out of a record, the n-th call has the n-th end. */
function endInOrder(events: readonly RecordedEvent[], scheduled: RecordedEvent): Call['end'] {
  if (typeof scheduled.id === 'number') return 'never';
  const place = events.filter(({ type }) => type === scheduled.type).indexOf(scheduled);
  const end = events.filter(({ type }) => type === scheduled.type.replace('Scheduled', 'Succeeded'))[place];
  return end === undefined ? 'never' : { output: outputOf(detailsOf(end)) };
}

/** Members of an event beside its header. */
export const detailsOf = (event: JsonObject): JsonObject => {
  const key = Object.keys(event).find((name) => name.endsWith('EventDetails'));
  const details = key === undefined ? undefined : event[key];
  return isObject(details) ? details : {};
};
