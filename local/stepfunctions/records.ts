/** How an execution ended, or RUNNING. */
export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** A state machine as it is kept. Times are milliseconds since the epoch. */
export interface MachineRecord {
  arn: string;
  name: string;
  definition: string;
  roleArn: string;
  type: string;
  createdAtMs: number;
  revision: string;
}

/** An execution as it is kept. `input` and `output` are JSON texts. */
export interface ExecutionRecord {
  arn: string;
  name: string;
  machineArn: string;
  input: string;
  startedAtMs: number;
  status: ExecutionStatus;
  redriveCount: number;
  stoppedAtMs?: number;
  output?: string;
  error?: string;
  cause?: string;
}

/** One line of the journal. The last line about a machine or an execution counts. */
export type JournalLine =
  | { machine: MachineRecord }
  | { machineDeleted: string }
  | { execution: ExecutionRecord }
  /** The status-change event of this execution and status has been handed over. */
  | { announced: string; status: ExecutionStatus };

const REGION = 'us-east-1';
const ACCOUNT = '000000000000';

/** The ARN of a state machine. */
export const machineArn = (name: string): string => `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${name}`;

/** The ARN of an execution. */
export const executionArn = (machine: string, name: string): string =>
  `arn:aws:states:${REGION}:${ACCOUNT}:execution:${machine}:${name}`;
