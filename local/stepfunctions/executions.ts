/**
 * Machines and executions: their names, their journal, their life. An execution that was running when the process died is
 * driven again from its start with the same input, as long as it takes; an ended one announces its end at least once.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AwsError } from '../wire/aws-error.ts';
import { openJournal } from '../wire/journal.ts';
import type { Json, JsonObject } from '../wire/json.ts';
import { historyArchive } from './archive.ts';
import type { Machine } from './definition.ts';
import { type HistoryEvent, trail } from './history.ts';
import { runMachine } from './interpreter.ts';
import { type ExecutionRecord, executionArn, type JournalLine, type MachineRecord } from './records.ts';
import type { TaskPorts } from './run.ts';
import { Aborted, toStateError } from './state-error.ts';

/** Ended executions that are remembered; AWS remembers them for 90 days. */
const KEPT_EXECUTIONS = 10_000;
/** The journal is rewritten when it has this many lines more than it needs. */
const JOURNAL_SLACK = 20_000;

/** How executions reach the outside and where they are kept. */
export interface ExecutionOptions {
  /** Directory of the journal and the histories; absent: in memory. */
  dataDir?: string | undefined;
  ports: TaskPorts;
  /** Called with the detail of each "Step Functions Execution Status Change" event. */
  announce: (detail: JsonObject, resource: string) => void;
  /** Factor on Wait states and retry delays. */
  waitScale: number;
}

interface Live {
  record: ExecutionRecord;
  events: HistoryEvent[];
  stop: AbortController;
  /** Why it was stopped, when it was. */
  ending?: Ending;
}

type Ending = Required<Pick<ExecutionRecord, 'status'>> & Pick<ExecutionRecord, 'output' | 'error' | 'cause'>;

export interface Executions {
  readonly machines: Map<string, MachineRecord>;
  saveMachine(machine: MachineRecord): void;
  deleteMachine(arn: string): void;
  /** Starts an execution; the same name with the same input is the same execution while it runs. */
  start(machine: MachineRecord, name: string, input: string): ExecutionRecord;
  get(arn: string): ExecutionRecord;
  /** Newest first. */
  list(): ExecutionRecord[];
  history(arn: string): readonly HistoryEvent[];
  stop(arn: string, error: string | undefined, cause: string | undefined): ExecutionRecord;
  /** Drives what a previous process left running and announces what it did not. Call once, when the ports are ready. */
  resume(): void;
  close(): void;
}

/** Opens the journal and the histories. Nothing runs before `resume`. */
export function openExecutions(options: ExecutionOptions): Executions {
  const { dataDir } = options;
  const opened = openJournal<JournalLine>(dataDir === undefined ? undefined : join(dataDir, 'journal.jsonl'));
  const archive = historyArchive(dataDir === undefined ? undefined : join(dataDir, 'history'));
  const { journal } = opened;
  const machines = new Map<string, MachineRecord>();
  const records = new Map<string, ExecutionRecord>();
  const announced = new Map<string, string>();
  const live = new Map<string, Live>();
  const parsed = new Map<string, Machine>();
  let closed = false;

  for (const line of opened.records) replay(line);
  compact();

  function replay(line: JournalLine): void {
    if ('machine' in line) machines.set(line.machine.arn, line.machine);
    else if ('machineDeleted' in line) machines.delete(line.machineDeleted);
    else if ('execution' in line) records.set(line.execution.arn, line.execution);
    else announced.set(line.announced, line.status);
  }

  function compact(): void {
    for (const record of records.values()) {
      if (records.size <= KEPT_EXECUTIONS) break;
      if (record.status === 'RUNNING') continue;
      records.delete(record.arn);
      announced.delete(record.arn);
      archive.remove(record.arn);
    }
    journal.rewrite([
      ...[...machines.values()].map((machine) => ({ machine })),
      ...[...records.values()].flatMap((execution): JournalLine[] => {
        const told = announced.get(execution.arn) === execution.status;
        return told ? [{ execution }, { announced: execution.arn, status: execution.status }] : [{ execution }];
      }),
    ]);
  }

  function save(record: ExecutionRecord): void {
    records.set(record.arn, record);
    journal.append({ execution: record });
    if (journal.length > 3 * records.size + JOURNAL_SLACK) compact();
  }

  function tell(record: ExecutionRecord): void {
    options.announce(statusDetail(record), record.arn);
    announced.set(record.arn, record.status);
    journal.append({ announced: record.arn, status: record.status });
  }

  function definitionOf(record: ExecutionRecord): Machine {
    const machine = machines.get(record.machineArn);
    if (machine === undefined) throw new AwsError('StateMachineDoesNotExist', `${record.machineArn} does not exist`);
    const known = parsed.get(machine.definition);
    if (known !== undefined) return known;
    const definition = JSON.parse(machine.definition) as Machine;
    parsed.set(machine.definition, definition);
    return definition;
  }

  function launch(record: ExecutionRecord, redriven: boolean): void {
    const events: HistoryEvent[] = [];
    const entry: Live = { record, events, stop: new AbortController() };
    live.set(record.arn, entry);
    const line = trail(events);
    line.add('ExecutionStarted', { input: record.input, roleArn: machines.get(record.machineArn)?.roleArn ?? '' });
    if (redriven) line.add('ExecutionRedriven', { redriveCount: record.redriveCount });
    tell(record);
    // The answer to StartExecution goes out before the first state runs.
    setImmediate(() => {
      if (closed) return;
      void drive(entry).then((ending) => {
        if (!closed) finish(entry, ending);
      });
    });
  }

  async function drive(entry: Live): Promise<Ending> {
    const { record, events, stop } = entry;
    let timer: NodeJS.Timeout | undefined;
    try {
      const machine = definitionOf(record);
      const seconds = machine.TimeoutSeconds;
      if (seconds !== undefined) timer = setTimeout(() => timeOut(record.arn), seconds * 1000);
      const input = JSON.parse(record.input) as Json;
      const run = {
        ports: options.ports,
        signal: stop.signal,
        trail: trail(events),
        context: contextOf(record, input, machines.get(record.machineArn)),
        waitScale: options.waitScale,
        sub: runMachine,
      };
      return { status: 'SUCCEEDED', output: JSON.stringify(await runMachine(machine, input, run)) };
    } catch (error) {
      return entry.ending ?? failed(error);
    } finally {
      clearTimeout(timer);
    }
  }

  function finish(entry: Live, ending: Ending): void {
    const record: ExecutionRecord = { ...entry.record, ...ending, stoppedAtMs: Date.now() };
    const { type, details } = endEvent(record);
    trail(entry.events).add(type, details, true);
    archive.save(record.arn, entry.events);
    live.delete(record.arn);
    save(record);
    tell(record);
  }

  function end(arn: string, ending: Ending): void {
    const entry = live.get(arn);
    if (entry === undefined) return;
    entry.ending = ending;
    entry.stop.abort();
  }

  function timeOut(arn: string): void {
    end(arn, { status: 'TIMED_OUT', error: 'States.Timeout', cause: 'The execution exceeded its TimeoutSeconds.' });
  }

  function get(arn: string): ExecutionRecord {
    const record = records.get(arn);
    if (record === undefined) throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return record;
  }

  return {
    machines,
    get,
    saveMachine: (machine) => {
      machines.set(machine.arn, machine);
      journal.append({ machine });
    },
    deleteMachine: (arn) => {
      machines.delete(arn);
      journal.append({ machineDeleted: arn });
    },
    start: (machine, name, input) => {
      const arn = executionArn(machine.name, name);
      const known = records.get(arn);
      if (known !== undefined) {
        if (known.status === 'RUNNING' && known.input === input) return known;
        throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
      }
      const base = { arn, name, machineArn: machine.arn, input, startedAtMs: Date.now() };
      const record: ExecutionRecord = { ...base, status: 'RUNNING', redriveCount: 0 };
      save(record);
      launch(record, false);
      return record;
    },
    list: () => [...records.values()].reverse(),
    history: (arn) => live.get(get(arn).arn)?.events ?? archive.load(arn),
    stop: (arn, error, cause) => {
      const record = get(arn);
      const why = { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) };
      end(arn, { status: 'ABORTED', ...why });
      return record;
    },
    resume: () => {
      for (const record of [...records.values()]) {
        if (record.status !== 'RUNNING') {
          if (announced.get(record.arn) !== record.status) tell(record);
          continue;
        }
        const again: ExecutionRecord = { ...record, redriveCount: record.redriveCount + 1 };
        save(again);
        launch(again, true);
      }
    },
    close: () => {
      closed = true;
      for (const entry of live.values()) entry.stop.abort();
      journal.close();
    },
  };
}

/** A name for an execution that was started without one. */
export const newExecutionName = (): string => randomUUID();

function failed(error: unknown): Ending {
  if (error instanceof Aborted) return { status: 'ABORTED' };
  const { error: name, causeText } = toStateError(error);
  return { status: 'FAILED', error: name, cause: causeText };
}

function contextOf(record: ExecutionRecord, input: Json, machine: MachineRecord | undefined): JsonObject {
  const StartTime = new Date(record.startedAtMs).toISOString();
  const RoleArn = machine?.roleArn ?? '';
  return {
    Execution: {
      Id: record.arn,
      Input: input,
      Name: record.name,
      RoleArn,
      StartTime,
      RedriveCount: record.redriveCount,
    },
    StateMachine: { Id: record.machineArn, Name: machine?.name ?? '' },
  };
}

const END_EVENTS = {
  RUNNING: 'ExecutionStarted',
  SUCCEEDED: 'ExecutionSucceeded',
  FAILED: 'ExecutionFailed',
  TIMED_OUT: 'ExecutionTimedOut',
  ABORTED: 'ExecutionAborted',
} as const;

function endEvent({ status, output, error, cause }: ExecutionRecord): { type: string; details: JsonObject } {
  const why = { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) };
  return { type: END_EVENTS[status], details: output === undefined ? why : { output } };
}

function statusDetail(record: ExecutionRecord): JsonObject {
  return {
    executionArn: record.arn,
    stateMachineArn: record.machineArn,
    name: record.name,
    status: record.status,
    startDate: record.startedAtMs,
    stopDate: record.stoppedAtMs ?? null,
    input: record.input,
    output: record.output ?? null,
    error: record.error ?? null,
    cause: record.cause ?? null,
    inputDetails: { included: true },
    outputDetails: record.output === undefined ? null : { included: true },
    redriveCount: record.redriveCount,
  };
}
