import { randomUUID } from 'node:crypto';
import { AwsError, required } from '../wire/aws-error.ts';
import { type JsonObject, numberAt, stringAt } from '../wire/json.ts';
import type { JsonService, Operation } from '../wire/json-rpc.ts';
import { Executions, newExecutionName } from './executions.ts';
import { type ExecutionRecord, type MachineRecord, machineArn } from './records.ts';
import type { TaskPorts } from './run.ts';
import { type TaskTokens, taskTokens } from './task-tokens.ts';
import { problemsOf } from './validate.ts';

/** A definition is at most 1 MB and an input at most 256 KiB, on AWS as here. */
const BODY_LIMIT = 2 * 1024 * 1024;
const INPUT_LIMIT = 262_144;
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;
const NAME = /^[\p{L}\p{N}_-]{1,80}$/u;

/** What executions call, where they are kept, who hears of them. */
export interface StepFunctionsOptions {
  /** Absent: in memory. */
  dataDir?: string | undefined;
  ports: Omit<TaskPorts, 'issueToken'>;
  announce: (detail: JsonObject, resource: string) => void;
  /** Factor on Wait states and retry delays; 1 unless a test skips time. */
  waitScale?: number;
}

export interface StepFunctions {
  readonly service: JsonService;
  /** Starts an execution for an event target; a name that exists is not an error. */
  startForEvent(machineArn: string, name: string, input: string): void;
  /** Goes on with what a previous process left. */
  resume(): void;
  close(): void;
}

/** Opens the embedded Step Functions (AWS Step Functions API Reference; AWS JSON 1.0). */
export function openStepFunctions(options: StepFunctionsOptions): StepFunctions {
  const tokens = taskTokens();
  const executions = new Executions({
    dataDir: options.dataDir,
    ports: { ...options.ports, issueToken: () => tokens.issue() },
    announce: options.announce,
    waitScale: options.waitScale ?? 1,
  });
  const operations = new Map<string, Operation>([
    ...machineOperations(executions),
    ...executionOperations(executions),
    ...tokenOperations(tokens),
  ]);
  return {
    service: { target: 'AWSStepFunctions', version: '1.0', operations, bodyLimit: BODY_LIMIT },
    startForEvent: (arn, name, input) => {
      try {
        executions.start(machineOf(executions, arn), name, input);
      } catch (error) {
        if (!(error instanceof AwsError && error.code === 'ExecutionAlreadyExists')) throw error;
      }
    },
    resume: () => executions.resume(),
    close: () => executions.close(),
  };
}

function machineOperations(executions: Executions): [string, Operation][] {
  const { machines } = executions;
  return [
    ['CreateStateMachine', (input) => createMachine(executions, input)],
    ['UpdateStateMachine', (input) => updateMachine(executions, input)],
    ['DescribeStateMachine', (input) => describeMachine(machineOf(executions, required(input, 'stateMachineArn')))],
    [
      'ListStateMachines',
      (input) => {
        const all = [...machines.values()].sort((a, b) => a.createdAtMs - b.createdAtMs);
        const { page, next } = pageOf(all, input);
        return { stateMachines: page.map(listedMachine), ...next };
      },
    ],
    ['DeleteStateMachine', (input) => executions.deleteMachine(required(input, 'stateMachineArn'))],
  ];
}

function createMachine(executions: Executions, input: JsonObject): JsonObject {
  const name = required(input, 'name');
  if (!NAME.test(name)) throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
  const definition = validDefinition(required(input, 'definition'));
  const arn = machineArn(name);
  const known = executions.machines.get(arn);
  if (known !== undefined) {
    if (known.definition !== definition) {
      throw new AwsError('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
    }
    return { stateMachineArn: arn, creationDate: known.createdAtMs / 1000 };
  }
  const createdAtMs = Date.now();
  const roleArn = stringAt(input, 'roleArn') ?? '';
  const type = stringAt(input, 'type') ?? 'STANDARD';
  executions.saveMachine({ arn, name, definition, roleArn, type, createdAtMs, revision: randomUUID() });
  return { stateMachineArn: arn, creationDate: createdAtMs / 1000 };
}

function updateMachine(executions: Executions, input: JsonObject): JsonObject {
  const machine = machineOf(executions, required(input, 'stateMachineArn'));
  const text = stringAt(input, 'definition');
  const definition = text === undefined ? machine.definition : validDefinition(text);
  const revision = randomUUID();
  const roleArn = stringAt(input, 'roleArn') ?? machine.roleArn;
  executions.saveMachine({ ...machine, definition, roleArn, revision });
  return { updateDate: Date.now() / 1000, revisionId: revision };
}

function validDefinition(text: string): string {
  let definition: unknown;
  try {
    definition = JSON.parse(text);
  } catch {
    definition = undefined;
  }
  const problems = definition === undefined ? ['the definition is not JSON'] : problemsOf(definition);
  if (problems.length === 0) return text;
  throw new AwsError('InvalidDefinition', `Invalid State Machine Definition: '${problems.join('; ')}'`);
}

function machineOf(executions: Executions, arn: string): MachineRecord {
  const machine = executions.machines.get(arn);
  if (machine === undefined) throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  return machine;
}

const listedMachine = (machine: MachineRecord): JsonObject => ({
  stateMachineArn: machine.arn,
  name: machine.name,
  type: machine.type,
  creationDate: machine.createdAtMs / 1000,
});

const describeMachine = (machine: MachineRecord): JsonObject => ({
  ...listedMachine(machine),
  status: 'ACTIVE',
  definition: machine.definition,
  roleArn: machine.roleArn,
  revisionId: machine.revision,
});

function executionOperations(executions: Executions): [string, Operation][] {
  return [
    ['StartExecution', (input) => startExecution(executions, input)],
    ['DescribeExecution', (input) => describeExecution(executions.get(required(input, 'executionArn')))],
    ['ListExecutions', (input) => listExecutions(executions, input)],
    ['StopExecution', (input) => stopExecution(executions, input)],
    ['GetExecutionHistory', (input) => getHistory(executions, input)],
    [
      'DescribeStateMachineForExecution',
      (input) => {
        const { machineArn: arn } = executions.get(required(input, 'executionArn'));
        return { ...describeMachine(machineOf(executions, arn)), updateDate: Date.now() / 1000 };
      },
    ],
  ];
}

function startExecution(executions: Executions, input: JsonObject): JsonObject {
  const machine = machineOf(executions, required(input, 'stateMachineArn'));
  const name = stringAt(input, 'name') ?? newExecutionName();
  if (!NAME.test(name)) throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
  const text = stringAt(input, 'input') ?? '{}';
  if (Buffer.byteLength(text) > INPUT_LIMIT) {
    throw new AwsError('ValidationException', `the input exceeds ${INPUT_LIMIT} bytes`);
  }
  if (!isJson(text)) throw new AwsError('InvalidExecutionInput', 'Invalid State Machine Execution Input: not JSON');
  const record = executions.start(machine, name, text);
  return { executionArn: record.arn, startDate: record.startedAtMs / 1000 };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const listedExecution = (record: ExecutionRecord): JsonObject => ({
  executionArn: record.arn,
  stateMachineArn: record.machineArn,
  name: record.name,
  status: record.status,
  startDate: record.startedAtMs / 1000,
  redriveCount: record.redriveCount,
  ...(record.stoppedAtMs === undefined ? {} : { stopDate: record.stoppedAtMs / 1000 }),
});

function describeExecution(record: ExecutionRecord): JsonObject {
  const { output, error, cause } = record;
  return {
    ...listedExecution(record),
    input: record.input,
    inputDetails: { included: true },
    ...(output === undefined ? {} : { output, outputDetails: { included: true } }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
  };
}

function listExecutions(executions: Executions, input: JsonObject): JsonObject {
  const arn = machineOf(executions, required(input, 'stateMachineArn')).arn;
  const status = stringAt(input, 'statusFilter');
  const matching = executions
    .list()
    .filter((record) => record.machineArn === arn && (status === undefined || record.status === status));
  const { page, next } = pageOf(matching, input);
  return { executions: page.map(listedExecution), ...next };
}

function stopExecution(executions: Executions, input: JsonObject): JsonObject {
  const arn = required(input, 'executionArn');
  const record = executions.stop(arn, stringAt(input, 'error'), stringAt(input, 'cause'));
  return { stopDate: (record.stoppedAtMs ?? Date.now()) / 1000 };
}

function getHistory(executions: Executions, input: JsonObject): JsonObject {
  const events = executions.history(required(input, 'executionArn'));
  const ordered = input['reverseOrder'] === true ? events.toReversed() : events;
  const { page, next } = pageOf(ordered, input);
  return { events: page as unknown as JsonObject[], ...next };
}

/** A page by position: tokens are offsets, enough for lists that only grow at one end. */
function pageOf<T>(all: readonly T[], input: JsonObject): { page: T[]; next: JsonObject } {
  const token = stringAt(input, 'nextToken');
  const from = token === undefined ? 0 : Number(token);
  if (!Number.isSafeInteger(from) || from < 0) throw new AwsError('InvalidToken', `Invalid Token: '${token}'`);
  const size = Math.min(numberAt(input, 'maxResults') || DEFAULT_PAGE, MAX_PAGE);
  const page = all.slice(from, from + size);
  return { page, next: from + size < all.length ? { nextToken: String(from + size) } : {} };
}

function tokenOperations(tokens: TaskTokens): [string, Operation][] {
  return [
    [
      'SendTaskSuccess',
      (input) => {
        const output = required(input, 'output');
        if (!isJson(output)) throw new AwsError('InvalidOutput', 'Invalid Output: not JSON');
        tokens.succeed(required(input, 'taskToken'), JSON.parse(output));
      },
    ],
    [
      'SendTaskFailure',
      (input) =>
        tokens.fail(required(input, 'taskToken'), stringAt(input, 'error') ?? '', stringAt(input, 'cause') ?? ''),
    ],
    ['SendTaskHeartbeat', (input) => tokens.heartbeat(required(input, 'taskToken'))],
  ];
}
