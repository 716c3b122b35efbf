/**
 * Machines and executions: their names, their journal, their life. An execution that was running when the process died is
 * driven again from its start with the same input, as long as it takes; an ended one announces its end at least once.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AwsError } from '../wire/aws-error.ts';
import type { Json, JsonObject } from '../wire/json.ts';
import { type HistoryArchive, historyArchive } from './archive.ts';
import type { Machine } from './definition.ts';
import { type HistoryEvent, trail } from './history.ts';
import { runMachine } from './interpreter.ts';
import { Ledger } from './ledger.ts';
import { type ExecutionRecord, executionArn, type MachineRecord } from './records.ts';
import type { TaskPorts } from './run.ts';
import { Aborted, toStateError } from './state-error.ts';

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

/** The machines and executions of one data folder. */
export class Executions {
  readonly #options: ExecutionOptions;
  readonly #ledger: Ledger;
  readonly #archive: HistoryArchive;
  readonly #live = new Map<string, Live>();
  readonly #parsed = new Map<string, Machine>();
  #closed = false;

  /** Opens the journal and the histories. Nothing runs before `resume`. */
  constructor(options: ExecutionOptions) {
    const { dataDir } = options;
    this.#options = options;
    this.#archive = historyArchive(dataDir === undefined ? undefined : join(dataDir, 'history'));
    this.#ledger = new Ledger(dataDir === undefined ? undefined : join(dataDir, 'journal.jsonl'), (arn) =>
      this.#archive.remove(arn),
    );
  }

  get machines(): ReadonlyMap<string, MachineRecord> {
    return this.#ledger.machines;
  }

  saveMachine(machine: MachineRecord): void {
    this.#ledger.saveMachine(machine);
  }

  deleteMachine(arn: string): void {
    this.#ledger.deleteMachine(arn);
  }

  /** Starts an execution; the same name with the same input is the same execution while it runs. */
  start(machine: MachineRecord, name: string, input: string): ExecutionRecord {
    const arn = executionArn(machine.name, name);
    const known = this.#ledger.executions.get(arn);
    if (known !== undefined) {
      if (known.status === 'RUNNING' && known.input === input) return known;
      throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const base = { arn, name, machineArn: machine.arn, input, startedAtMs: Date.now() };
    const record: ExecutionRecord = { ...base, status: 'RUNNING', redriveCount: 0 };
    this.#ledger.saveExecution(record);
    this.#launch(record);
    return record;
  }

  /** Throws ExecutionDoesNotExist. */
  get(arn: string): ExecutionRecord {
    const record = this.#ledger.executions.get(arn);
    if (record === undefined) throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return record;
  }

  /** Newest first. */
  list(): ExecutionRecord[] {
    return [...this.#ledger.executions.values()].reverse();
  }

  history(arn: string): readonly HistoryEvent[] {
    return this.#live.get(this.get(arn).arn)?.events ?? this.#archive.load(arn);
  }

  /** Ends a running execution as ABORTED; an ended one stays as it is. */
  stop(arn: string, error: string | undefined, cause: string | undefined): ExecutionRecord {
    const record = this.get(arn);
    const why = { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) };
    this.#end(arn, { status: 'ABORTED', ...why });
    return record;
  }

  /** Drives what a previous process left running and announces what it did not. Call once, when the ports are ready. */
  resume(): void {
    for (const record of [...this.#ledger.executions.values()]) {
      if (record.status !== 'RUNNING') {
        if (!this.#ledger.isAnnounced(record)) this.#tell(record);
        continue;
      }
      const again: ExecutionRecord = { ...record, redriveCount: record.redriveCount + 1 };
      this.#ledger.saveExecution(again);
      this.#launch(again);
    }
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#live.values()) entry.stop.abort();
    this.#ledger.close();
  }

  #launch(record: ExecutionRecord): void {
    const entry: Live = { record, events: [], stop: new AbortController() };
    this.#live.set(record.arn, entry);
    const line = trail(entry.events);
    line.add('ExecutionStarted', { input: record.input, roleArn: this.machines.get(record.machineArn)?.roleArn ?? '' });
    if (record.redriveCount > 0) line.add('ExecutionRedriven', { redriveCount: record.redriveCount });
    this.#tell(record);
    // The answer to StartExecution goes out before the first state runs.
    setImmediate(() => {
      if (this.#closed) return;
      void this.#drive(entry).then((ending) => {
        if (!this.#closed) this.#finish(entry, ending);
      });
    });
  }

  async #drive(entry: Live): Promise<Ending> {
    const { record, events, stop } = entry;
    let timer: NodeJS.Timeout | undefined;
    try {
      const machine = this.#definitionOf(record);
      const seconds = machine.TimeoutSeconds;
      if (seconds !== undefined) timer = setTimeout(() => this.#end(record.arn, TIMED_OUT), seconds * 1000);
      const input = JSON.parse(record.input) as Json;
      const output = await runMachine(machine, input, {
        ports: this.#options.ports,
        signal: stop.signal,
        trail: trail(events),
        context: contextOf(record, input, this.machines.get(record.machineArn)),
        waitScale: this.#options.waitScale,
        sub: runMachine,
      });
      return { status: 'SUCCEEDED', output: JSON.stringify(output) };
    } catch (error) {
      return entry.ending ?? failed(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #finish(entry: Live, ending: Ending): void {
    const record: ExecutionRecord = { ...entry.record, ...ending, stoppedAtMs: Date.now() };
    const { type, details } = endEvent(record);
    trail(entry.events, record.status !== 'ABORTED').add(type, details, true);
    this.#archive.save(record.arn, entry.events);
    this.#live.delete(record.arn);
    this.#ledger.saveExecution(record);
    this.#tell(record);
  }

  #end(arn: string, ending: Ending): void {
    const entry = this.#live.get(arn);
    if (entry === undefined) return;
    entry.ending = ending;
    entry.stop.abort();
  }

  #tell(record: ExecutionRecord): void {
    this.#options.announce(statusDetail(record), record.arn);
    this.#ledger.saveAnnounced(record);
  }

  #definitionOf(record: ExecutionRecord): Machine {
    const machine = this.machines.get(record.machineArn);
    if (machine === undefined) throw new AwsError('StateMachineDoesNotExist', `${record.machineArn} does not exist`);
    const known = this.#parsed.get(machine.definition);
    if (known !== undefined) return known;
    const definition = JSON.parse(machine.definition) as Machine;
    this.#parsed.set(machine.definition, definition);
    return definition;
  }
}

const TIMED_OUT: Ending = {
  status: 'TIMED_OUT',
  error: 'States.Timeout',
  cause: 'The execution exceeded its TimeoutSeconds.',
};

/** A name for an execution that was started without one. */
export const newExecutionName = (): string => randomUUID();

function failed(error: unknown): Ending {
  if (error instanceof Aborted) return { status: 'ABORTED' };
  return { status: 'FAILED', ...toStateError(error).details };
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
