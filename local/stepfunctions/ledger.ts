import { type Journal, openJournal } from '../wire/journal.ts';
import type { ExecutionRecord, JournalLine, MachineRecord } from './records.ts';

/** Ended executions that are remembered; AWS remembers them for 90 days. */
const KEPT_EXECUTIONS = 10_000;
/** The journal is rewritten when it has this many lines more than it needs. */
const JOURNAL_SLACK = 20_000;

/** Machines and executions in memory, every change of them in a journal before it counts. */
export class Ledger {
  readonly #journal: Journal<JournalLine>;
  readonly #machines = new Map<string, MachineRecord>();
  readonly #executions = new Map<string, ExecutionRecord>();
  /** The status that was last announced, by execution. */
  readonly #announced = new Map<string, string>();
  readonly #onForget: (executionArn: string) => void;

  /** Opens the journal at `path` (undefined: in memory). `onForget` hears of executions that are no longer remembered. */
  constructor(path: string | undefined, onForget: (executionArn: string) => void) {
    const { journal, records } = openJournal<JournalLine>(path);
    this.#journal = journal;
    this.#onForget = onForget;
    for (const line of records) this.#replay(line);
    this.#compact();
  }

  get machines(): ReadonlyMap<string, MachineRecord> {
    return this.#machines;
  }

  /** In the order in which they started. */
  get executions(): ReadonlyMap<string, ExecutionRecord> {
    return this.#executions;
  }

  saveMachine(machine: MachineRecord): void {
    this.#write({ machine });
  }

  deleteMachine(arn: string): void {
    this.#write({ machineDeleted: arn });
  }

  saveExecution(execution: ExecutionRecord): void {
    this.#write({ execution });
  }

  /** Notes that the event of the execution's present status was handed over. */
  saveAnnounced({ arn, status }: ExecutionRecord): void {
    this.#write({ announced: arn, status });
  }

  isAnnounced({ arn, status }: ExecutionRecord): boolean {
    return this.#announced.get(arn) === status;
  }

  close(): void {
    this.#journal.close();
  }

  #write(line: JournalLine): void {
    this.#journal.append(line);
    this.#replay(line);
    if (this.#journal.length > 3 * this.#executions.size + JOURNAL_SLACK) this.#compact();
  }

  #replay(line: JournalLine): void {
    if ('machine' in line) this.#machines.set(line.machine.arn, line.machine);
    else if ('machineDeleted' in line) this.#machines.delete(line.machineDeleted);
    else if ('execution' in line) this.#executions.set(line.execution.arn, line.execution);
    else this.#announced.set(line.announced, line.status);
  }

  #compact(): void {
    for (const { arn, status } of this.#executions.values()) {
      if (this.#executions.size <= KEPT_EXECUTIONS) break;
      if (status === 'RUNNING') continue;
      this.#executions.delete(arn);
      this.#announced.delete(arn);
      this.#onForget(arn);
    }
    this.#journal.rewrite([
      ...[...this.#machines.values()].map((machine) => ({ machine })),
      ...[...this.#executions.values()].flatMap((execution): JournalLine[] => {
        const { arn, status } = execution;
        return this.isAnnounced(execution) ? [{ execution }, { announced: arn, status }] : [{ execution }];
      }),
    ]);
  }
}
