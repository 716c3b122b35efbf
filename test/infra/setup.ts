/** Synthesizes every stage once for all files of the suite: in parallel, each in its own process. */
import type { TestProject } from 'vitest/node';
import { synth } from './graph.ts';
import { STAGES, type StageName } from './stages.ts';
import type { Graph } from './synth/graph-types.ts';

declare module 'vitest' {
  interface ProvidedContext {
    graphs: Record<StageName, Graph>;
  }
}

/** Set by mutate.ts when no file of the run looks into a graph. */
export const WITHOUT_GRAPHS = 'GLIMPSE_INFRA_WITHOUT_GRAPHS';

export async function setup(project: TestProject): Promise<void> {
  if (process.env[WITHOUT_GRAPHS] !== undefined) return;
  const entries = await Promise.all(
    Object.entries(STAGES).map(async ([name, scenario]) => [name, await synth(scenario)] as const),
  );
  project.provide('graphs', Object.fromEntries(entries) as Record<StageName, Graph>);
}
