import { type StepEvent, serviceError } from '../../../bytes/imports/step.ts';
import { recordContainer } from '../../../functions/tasks/container-record.ts';
import type { StepHandler } from '../../../functions/tasks/step.ts';
import type { Machine } from '../../../local/stepfunctions/definition.ts';
import { type HistoryEvent, trail } from '../../../local/stepfunctions/history.ts';
import { runMachine } from '../../../local/stepfunctions/interpreter.ts';
import { StateError } from '../../../local/stepfunctions/state-error.ts';
import type { Json } from '../../../local/wire/json.ts';
import type { ServiceDeps } from '../../../service/deps.ts';
import { importImage } from '../../../workflows/import-image.ts';

/** A call of a step's function. `attempt` counts calls of the same step with the same event, from 1. */
export interface StepCall {
  /** As in workflows/topology.ts, without `import-`. */
  readonly step: string;
  readonly event: Readonly<Record<string, unknown>>;
  readonly attempt: number;
}

/** Stands between platform and step; what it throws the platform answers instead. */
export type Around = (call: StepCall, run: () => Promise<unknown>) => Promise<unknown>;

/** How an execution ended, and which functions it called; a container is `step in container`. */
export interface Execution {
  readonly status: 'SUCCEEDED' | 'FAILED';
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

/** Runs the import workflow as it is deployed, containers included, without waiting between attempts. @throws what no state catches */
export async function execute(
  { deps, around }: { readonly deps: ServiceDeps; readonly around: Around | undefined },
  { handlers, containers }: Steps,
  taskId: string,
): Promise<Execution> {
  const steps: string[] = [];
  const attempts = new Map<string, number>();
  /** An execution that fails leaves functions of other branches at work: they end by themselves. */
  const working: Promise<unknown>[] = [];
  const call = async (step: string, event: StepEvent): Promise<unknown> => {
    const handler = handlers[step];
    if (handler === undefined) throw new Error(`there is no step ${step}`);
    const line = `${step} ${JSON.stringify(event)}`;
    const attempt = (attempts.get(line) ?? 0) + 1;
    attempts.set(line, attempt);
    const run = () => handler.on(deps, event as never);
    const answer = around === undefined ? run() : around({ step, event: { ...event }, attempt }, run);
    working.push(answer);
    return answer;
  };
  const events: HistoryEvent[] = [];
  const imageId = (await deps.tasks.get(taskId))?.imageId ?? '';
  const ports = {
    async invokeFunction(name: string, payload: Json): Promise<Json> {
      const step = stepOf(name);
      steps.push(step);
      return asLambda(() => call(step, payload as unknown as StepEvent));
    },
    async runContainer(_definition: string, overrides: Readonly<Record<string, Json>>): Promise<Json> {
      const [, , , fn = '', ...parameters] = ['', ...commandOf(overrides)];
      const event = Object.fromEntries(parameters.map((parameter) => parameter.split('=', 2)));
      const step = stepOf(fn);
      steps.push(`${step} in container`);
      await asContainer(deps, { ...event, step: fn }, () => containers[step]?.on(deps, event as never));
      return {};
    },
    putEvents: async (): Promise<Json> => ({}),
    issueToken: (): never => {
      throw new Error('no state of an import waits for a token');
    },
  };
  const run = {
    ports,
    signal: new AbortController().signal,
    trail: trail(events),
    context: {
      Execution: { Id: `arn:aws:states:us-east-1:1:execution:import-image:${taskId}`, Name: taskId, Input: {} },
    },
    waitScale: 0,
    sub: runMachine,
  };
  const status = await runMachine(importImage as unknown as Machine, { taskId, imageId }, run).then(
    () => 'SUCCEEDED' as const,
    (error: unknown) => {
      if (error instanceof StateError && error.error === 'ImportFailed') return 'FAILED' as const;
      throw error;
    },
  );
  await Promise.allSettled(working);
  const states = events.flatMap((event) => {
    const { name } = (event['stateEnteredEventDetails'] ?? {}) as { readonly name?: string };
    return name === undefined ? [] : [name];
  });
  return { status, steps, states, history: events };
}

const stepOf = (name: string): string => name.replace(/^.*import-([\w-]+).*$/, '$1');

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

/** As functions/tasks/run-step.ts: the failure is recorded, the container ends well. */
async function asContainer(
  deps: ServiceDeps,
  step: Readonly<Record<string, string>>,
  run: () => Promise<unknown> | undefined,
): Promise<void> {
  const event = step as unknown as Parameters<typeof recordContainer>[1];
  await recordContainer(deps, event, deps.clock.now());
  try {
    await run();
  } catch (error) {
    await recordContainer(deps, event, deps.clock.now(), serviceError(error));
  }
}
