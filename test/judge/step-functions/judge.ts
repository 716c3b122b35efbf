/** Runs every recorded execution that the interpreter can run, over the wire, and says where its history differs from AWS's. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { openStepFunctions } from '../../../local/stepfunctions/server.ts';
import { unsupportedIn } from '../../../local/stepfunctions/validate.ts';
import { isObject, type Json } from '../../../local/wire/json.ts';
import { serveJson, splitTarget } from '../../../local/wire/json-rpc.ts';
import { cannedPorts, detailsOf } from './canned.ts';
import { equals, filled, parsed } from './placeholders.ts';
import { hasOrder, type RecordedEvent, type RecordedExecution } from './records.ts';

const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:judged';
const ENDS_WITHIN_MS = 60_000;

/** How one record compares: undefined when all is equal, else the first difference in words. */
export interface Verdict {
  readonly name: string;
  readonly difference?: string;
}

/** True when the definition holds only what the interpreter has. */
export const isOffered = (record: RecordedExecution): boolean => unsupportedIn(runnable(record)).length === 0;

/** The definition with a function where the record's test put one. */
const runnable = ({ definition }: RecordedExecution): Json =>
  JSON.parse(
    JSON.stringify(definition).replace(/"(_tbd_|__tbd__|%LAMBDA_FUNCTION_ARN_LITERAL_PLACEHOLDER%)"/g, `"${FUNCTION}"`),
  ) as Json;

/** Runs one record and compares status, output, error, cause and the sequence of events. */
export async function judge(record: RecordedExecution): Promise<Verdict> {
  const machines = openStepFunctions({
    ports: cannedPorts(record.events ?? []),
    announce: () => {},
    waitScale: isStopped(record) ? 1 : 0,
  });
  const server = createServer((req, res) => {
    void serveJson(machines.service, splitTarget(String(req.headers['x-amz-target'])).operation, req, res);
  });
  try {
    const client = await clientOf(server);
    const difference = await differenceOf(client, record);
    client.destroy();
    return difference === undefined ? { name: record.name } : { name: record.name, difference };
  } finally {
    machines.close();
    server.close();
    server.closeAllConnections();
  }
}

async function clientOf(server: Server): Promise<SFNClient> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new SFNClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'judge', secretAccessKey: 'judge' },
  });
}

async function differenceOf(client: SFNClient, record: RecordedExecution): Promise<string | undefined> {
  try {
    const { stateMachineArn } = await client.send(
      new CreateStateMachineCommand({ name: 'judged', definition: JSON.stringify(runnable(record)), roleArn: 'role' }),
    );
    const input = JSON.stringify(filled(record.input));
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, input }));
    if (executionArn === undefined) return 'no execution was started';
    await stopAsRecorded(client, executionArn, record);
    const ended = await endOf(client, executionArn);
    if (record.events === undefined) {
      return equals(record.output, JSON.parse(ended.output ?? 'null'))
        ? undefined
        : `output ${ended.output}, AWS ${JSON.stringify(record.output)}, input ${input}`;
    }
    const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
    return differenceOfHistories(record.events, events, record.recorded);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

const isStopped = ({ events }: RecordedExecution): boolean => events?.at(-1)?.type === 'ExecutionAborted';

async function stopAsRecorded(
  client: SFNClient,
  executionArn: string,
  { events = [] }: RecordedExecution,
): Promise<void> {
  const last = events.at(-1);
  if (last?.type !== 'ExecutionAborted') return;
  const { error, cause } = detailsOf(last);
  const why = { ...(error ? { error: String(error) } : {}), ...(cause ? { cause: String(cause) } : {}) };
  await client.send(new StopExecutionCommand({ executionArn, ...why }));
}

async function endOf(client: SFNClient, executionArn: string): Promise<DescribeExecutionOutput> {
  const deadline = Date.now() + ENDS_WITHIN_MS;
  for (;;) {
    const description = await client.send(new DescribeExecutionCommand({ executionArn }));
    if (description.status !== 'RUNNING') return description;
    if (Date.now() > deadline) throw new Error(`still running after ${ENDS_WITHIN_MS / 1000} s`);
    await sleep(20);
  }
}

/** One event as it is compared: its type and state, the same of the event before it, and what it carries. */
interface Compared {
  readonly line: string;
  readonly previous: string;
  readonly details: Record<string, unknown>;
}

function compared(events: readonly { id?: unknown; previousEventId?: unknown; type?: unknown }[]): Compared[] {
  const byId = new Map(events.map((event) => [event.id, event as RecordedEvent]));
  const label = (event: RecordedEvent | undefined): string =>
    event === undefined ? '-' : `${event.type}(${String(detailsOf(event)['name'] ?? '')})`;
  return events.map((event) => {
    const { output, error, cause, input, index } = detailsOf(event as RecordedEvent);
    // Which iteration or branch was the last before another began or ended is a matter of pace.
    const isPace = (event.type === 'MapIterationStarted' && index !== 0) || event.type === 'MapIterationAborted';
    const previous = isPace ? 'another' : label(byId.get(event.previousEventId));
    return { line: label(event as RecordedEvent), previous, details: { output, error, cause, input } };
  });
}

const beside = (event: Compared): Compared =>
  event.line.startsWith('MapStateExited') && event.previous === 'MapRunSucceeded()'
    ? { ...event, previous: 'MapRunStarted()' }
    : event;

/** A value as one text, whatever the order of its members and whether it came as text. */
const canonical = (value: unknown): string =>
  JSON.stringify(typeof value === 'string' ? parsed(value) : (value ?? null), (_, inner: unknown) =>
    isObject(inner as Json) ? Object.fromEntries(Object.entries(inner as object).sort()) : inner,
  );

/** Iterations and branches run side by side: their lines are compared without their order between each other. */
const RUNS_SIDE_BY_SIDE = /^(Map|Parallel)StateStarted/;

/** Since then the end of a map run stands beside the line of the parent: what follows names the event before it. */
const MAP_RUNS_BESIDE = new Date('2024-11-01');
/** What records without order lack. */
const PARALLEL_ENDS = /^ParallelState(Succeeded|Exited)/;

function differenceOfHistories(
  recorded: readonly RecordedEvent[],
  came: readonly HistoryEvent[],
  date: Date,
): string | undefined {
  const hasPrevious = hasOrder(recorded);
  const keep = ({ line }: Compared) => hasPrevious || !PARALLEL_ENDS.test(line);
  let wanted = compared(recorded).filter(keep);
  let got = compared(came).filter(keep);
  if (date < MAP_RUNS_BESIDE) wanted = wanted.map(beside);
  if (wanted.some(({ line }) => RUNS_SIDE_BY_SIDE.test(line))) [wanted, got] = [sorted(wanted), sorted(got)];
  for (let at = 0; at < Math.max(wanted.length, got.length); at++) {
    const [ours, theirs] = [got[at], wanted[at]];
    if (ours?.line !== theirs?.line) return `event ${at + 1}: ${ours?.line ?? 'none'}, AWS ${theirs?.line ?? 'none'}`;
    if (hasPrevious && ours?.previous !== theirs?.previous) {
      return `event ${at + 1}, ${ours?.line}: after ${ours?.previous}, AWS after ${theirs?.previous}`;
    }
    for (const key of ['error', 'cause', 'output', 'input'] as const) {
      const [mine, aws] = [ours?.details[key], theirs?.details[key]];
      if (!equals(aws, mine)) return `${theirs?.line}: ${key} ${text(mine)}, AWS ${text(aws)}`;
    }
  }
  return undefined;
}

const sorted = (events: readonly Compared[]): Compared[] => {
  const key = ({ line, previous, details }: Compared) =>
    `${line} ${canonical(details['output'] ?? details['input'])} ${previous}`;
  return events.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
};

const text = (value: unknown): string =>
  (isObject(value as Json) || Array.isArray(value) ? JSON.stringify(value) : String(value)).slice(0, 300);
