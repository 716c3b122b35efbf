/** What differs from run to run stands in the records as a placeholder: `<function_name>`, `timestamp`, an account of ones. */
import type { Json } from '../../../local/wire/json.ts';

/** A whole value that stands for anything. */
const ANYTHING =
  /^(timestamp|date|Date|start-time|entered-time|snf_role_arn|sfn_role_arn|map_run_arn|RequestId|x-amzn-RequestId|X-Amzn-Trace-Id|RandomNumberGenerated|generated-uuid|\w+EventDetails\.\w+|<[\w :_-]+>)$/;
/** A moment that stood in an input: what AWS answered depends on it, and it is lost. */
const MOMENT = /"(date|timestamp|<timestamp>)"/;
const PART = /<[\w :_.-]+>|111111111111|timestamp/g;

/** True when the record still holds what AWS was given. */
export const isWhole = (input: Json): boolean => !MOMENT.test(JSON.stringify(input));

/** A recorded input, to be sent: names without brackets, as an ARN or a function name must have them. */
export const filled = (value: Json): Json =>
  JSON.parse(
    JSON.stringify(value).replace(/<([\w :_-]+)>/g, (_, name: string) => name.replace(/[^\w-]/g, '-')),
  ) as Json;

/**
 * True when what came can be what was recorded. A text that is JSON counts as that JSON. Not compared: the length of a function's answer
 * as that function wrote it, and RedriveCount where the record is older than it.
 */
export function equals(recorded: unknown, came: unknown): boolean {
  if (typeof recorded === 'string') {
    if (ANYTHING.test(recorded)) return came !== undefined;
    if (typeof came !== 'string') return isTextOf(recorded, came);
    return (
      recorded === came ||
      recorded === parsed(came) ||
      patternOf(recorded).test(came) ||
      isTextOf(recorded, parsed(came))
    );
  }
  if (typeof came === 'string') return parsed(came) !== came && equals(recorded, parsed(came));
  if (typeof recorded !== 'object' || recorded === null) return Object.is(recorded, came) || recorded === came;
  if (typeof came !== 'object' || came === null || Array.isArray(recorded) !== Array.isArray(came)) return false;
  const names = new Set([...Object.keys(recorded), ...Object.keys(came)].filter((name) => name !== 'Content-Length'));
  if (!Object.hasOwn(recorded, 'RedriveCount')) names.delete('RedriveCount');
  return [...names].every((name) =>
    equals((recorded as Record<string, unknown>)[name], (came as Record<string, unknown>)[name]),
  );
}

const isTextOf = (recorded: string, came: unknown): boolean =>
  parsed(recorded) !== recorded && equals(parsed(recorded), came);

/** The value of a text that is JSON, or the text. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function patternOf(recorded: string): RegExp {
  const parts = recorded.split(PART).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+?')}$`, 's');
}
