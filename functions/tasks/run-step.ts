/**
 * One step of an import as a process, for work that a function's time does not suffice for: the same handler, in the gateway's image.
 *
 *   node functions/tasks/run-step.ts import-hash taskId=… imageId=…
 *
 * What the step found out is on the task, as from its function; its failure is recorded for Outcome (container-record.ts). It ends with
 * 0 in both cases. Any other end (memory, a host that goes away) is the container's: the workflow starts another one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceDeps } from '../../service/deps.ts';
import type { LongStep } from '../../workflows/topology.ts';
import type { ContainerStep } from './container-record.ts';
import { inContainer } from './in-container.ts';
import type { StepHandler } from './step.ts';

const STEPS: Readonly<Record<LongStep, () => Promise<{ readonly handler: StepHandler<never> }>>> = {
  'import-fetch': () => import('./fetch.ts'),
  'import-verify': () => import('./verify.ts'),
  'import-plugin': () => import('./plugin.ts'),
  'import-gather': () => import('./gather.ts'),
  'import-hash': () => import('./hash.ts'),
  'import-copy': () => import('./copy.ts'),
};

/** @throws Error for a step that does not exist, or a parameter that is not `name=value` */
function parse([step = '', ...parameters]: readonly string[]): ContainerStep & { readonly step: LongStep } {
  if (!Object.hasOwn(STEPS, step))
    throw new Error(`There is no step ${step}; there are ${Object.keys(STEPS).join(', ')}`);
  const pairs = parameters.map((parameter) => {
    const at = parameter.indexOf('=');
    if (at < 1) throw new Error(`"${parameter}" is not name=value`);
    return [parameter.slice(0, at), parameter.slice(at + 1)];
  });
  return { ...Object.fromEntries(pairs), step } as ContainerStep & { readonly step: LongStep };
}

async function main(): Promise<void> {
  const event = parse(process.argv.slice(2));
  const { handler } = await STEPS[event.step]();
  await inContainer(await serviceDeps(), event, () => handler(event as never), sleep);
}

// A parent that goes takes it along (one machine); a container has none.
process.on('disconnect', () => process.exit(1));
await main();
process.exit(0);
