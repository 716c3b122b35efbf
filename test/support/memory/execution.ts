import type { StepEvent } from '../../../bytes/imports/step.ts';
import { inContainer } from '../../../functions/tasks/in-container.ts';
import type { StepHandler } from '../../../functions/tasks/step.ts';
import type { Machine } from '../../../local/stepfunctions/definition.ts';
import { type HistoryEvent, trail } from '../../../local/stepfunctions/history.ts';
import { runMachine } from '../../../local/stepfunctions/interpreter.ts';
import { Aborted, StateError } from '../../../local/stepfunctions/state-error.ts';
import type { Json } from '../../../local/wire/json.ts';
import type { ServiceDeps } from '../../../service/deps.ts';
import type { StateMachine } from '../../../workflows/asl.ts';
import { importImage } from '../../../workflows/import-image.ts';

/** A call of a step's function, or of its container. `attempt` counts calls by the same state with the same event, from 1. */
export interface StepCall {
  /** Whose call it is. */
  readonly state: string;
  /** As in workflows/topology.ts, without `import-`. */
  readonly step: string;
  readonly event: Readonly<Record<string, unknown>>;
  readonly attempt: number;
}

/** Stands between platform and step; what it throws the platform answers instead. */
export type Around = (call: StepCall, run: () => Promise<unknown>) => Promise<unknown>;

/** How an execution ended, and which functions it called; a container is `step in container`. */
export interface Execution {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  /** Of a failure. */
  readonly cause?: string;
  readonly steps: readonly string[];
  /** Names of states entered, in order. */
  readonly states: readonly string[];
  /** As Step Functions shows it, inputs and outputs of states included. */
  readonly history: readonly HistoryEvent[];
}

/** What the steps of an execution run: as functions, and as containers, which no limit strikes. By name without `import-`. */
export interface Steps {
  readonly handlers: Readonly<Record<string, StepHandler<never>>>;
  readonly containers: Readonly<Record<string, StepHandler<never>>>;
}

export interface ExecuteOptions {
  /** Default: as it is deployed on AWS, with containers. */
  readonly machine?: StateMachine;
  /** Stops the execution; what it called goes on. */
  readonly signal?: AbortSignal;
}

/** Runs the import workflow without waiting between attempts. It has failed as well with what no state catches. */
export async function execute(
  { deps, around }: { readonly deps: ServiceDeps; readonly around: Around | undefined },
  { handlers, containers }: Steps,
  taskId: string,
  { machine = importImage, signal = new AbortController().signal }: ExecuteOptions = {},
): Promise<Execution> {
  const steps: string[] = [];
  const attempts = new Map<string, number>();
  /** An execution that fails leaves functions of other branches at work: they end by themselves. */
  const working: Promise<unknown>[] = [];
  const call = async (called: Omit<StepCall, 'attempt'>, run: () => Promise<unknown>): Promise<unknown> => {
    const line = `${called.state} ${JSON.stringify(called.event)}`;
    const attempt = (attempts.get(line) ?? 0) + 1;
    attempts.set(line, attempt);
    const answer = around === undefined ? run() : around({ ...called, attempt }, run);
    working.push(answer);
    return answer;
  };
  const handlerOf = (of: Steps['handlers'], step: string): StepHandler<never> => {
    const handler = of[step];
    if (handler === undefined) throw new Error(`there is no step ${step}`);
    return handler;
  };
  const events: HistoryEvent[] = [];
  const imageId = (await deps.tasks.get(taskId))?.imageId ?? '';
  const ports = {
    async invokeFunction(name: string, payload: Json): Promise<Json> {
      const { step, state } = labelOf(name);
      steps.push(step);
      const event = payload as unknown as StepEvent;
      const run = () => handlerOf(handlers, step).on(deps, event as never);
      return asLambda(() => call({ state, step, event: { ...event } }, run));
    },
    async runContainer(definition: string, overrides: Readonly<Record<string, Json>>): Promise<Json> {
      const { step, state } = labelOf(definition);
      const [, , fn = '', ...parameters] = commandOf(overrides);
      const event = Object.fromEntries(parameters.map((parameter) => parameter.split('=', 2)));
      steps.push(`${step} in container`);
      const handler = handlerOf(containers, step);
      const named = { ...event, step: fn } as unknown as Parameters<typeof inContainer>[1];
      const run = () =>
        inContainer(
          deps,
          named,
          () => handler.on(deps, event as never),
          async () => undefined,
        );
      return asContainer(() => call({ state, step, event }, run));
    },
    putEvents: async (): Promise<Json> => ({}),
    issueToken: (): never => {
      throw new Error('no state of an import waits for a token');
    },
  };
  const run = {
    ports,
    signal,
    trail: trail(events),
    context: {
      Execution: { Id: `arn:aws:states:us-east-1:1:execution:import-image:${taskId}`, Name: taskId, Input: {} },
    },
    waitScale: 0,
    sub: runMachine,
  };
  const end = await runMachine(labelled(machine), { taskId, imageId }, run).then(
    () => ({ status: 'SUCCEEDED' }) as const,
    (error: unknown) => endOf(error),
  );
  await Promise.allSettled(working);
  const states = events.flatMap((event) => {
    const { name } = (event['stateEnteredEventDetails'] ?? {}) as { readonly name?: string };
    return name === undefined ? [] : [name];
  });
  return { ...end, steps, states, history: events };
}

function endOf(error: unknown): Pick<Execution, 'status' | 'cause'> {
  if (error instanceof Aborted) return { status: 'ABORTED' };
  if (error instanceof StateError) return { status: 'FAILED', cause: error.causeText ?? '' };
  throw error;
}

/** The definition with each state's name behind the name of what it calls: a call does not tell whose it is. */
function labelled(machine: StateMachine): Machine {
  const label = (value: unknown, state: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => label(item, state));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        if (key === 'States')
          return [
            key,
            Object.fromEntries(Object.entries(inner as object).map(([name, of]) => [name, label(of, name)])),
          ];
        return [key, CALLED.includes(key) ? `${String(inner)}#${state}` : label(inner, state)];
      }),
    );
  };
  return label(machine, '') as Machine;
}

const CALLED: readonly string[] = ['FunctionName', 'TaskDefinition'];

/** Of `${Fn.import-copy}#CopyToStore`, and of a task definition's likewise. */
function labelOf(name: string): Pick<StepCall, 'step' | 'state'> {
  const [, step = '', state = ''] = /import-([\w-]+)\}#(\w+)$/.exec(name) ?? [];
  return { step, state };
}

function commandOf(overrides: Readonly<Record<string, Json>>): string[] {
  const [first] = overrides['ContainerOverrides'] as unknown as readonly { readonly Command: string[] }[];
  return first?.Command ?? [];
}

/** What a function throws reaches the workflow as a name and a JSON text. */
async function asLambda(run: () => Promise<unknown>): Promise<Json> {
  const answer = await run().catch((error: Error) => {
    const { name: errorType, message: errorMessage } = error;
    throw new StateError(errorType, JSON.stringify({ errorType, errorMessage }), { cause: error });
  });
  return JSON.parse(JSON.stringify(answer)) as Json;
}

/** Of a container the workflow learns whether it ended well. */
async function asContainer(run: () => Promise<unknown>): Promise<Json> {
  await run().catch((error: Error) => {
    throw new StateError('States.TaskFailed', error.message, { cause: error });
  });
  return {};
}
