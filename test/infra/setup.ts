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

export async function setup(project: TestProject): Promise<void> {
  const entries = await Promise.all(
    Object.entries(STAGES).map(async ([name, scenario]) => [name, await synth(scenario)] as const),
  );
  project.provide('graphs', Object.fromEntries(entries) as Record<StageName, Graph>);
}
