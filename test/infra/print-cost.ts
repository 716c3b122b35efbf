/** Prints the cost table of docs/operations/capacity.md: `node test/infra/print-cost.ts`. Takes as long as three stages take to synthesize. */
import { COST_COLUMNS, costTable } from './cost.ts';
import { synth } from './graph.ts';
import { STAGES } from './stages.ts';

const graphs = await Promise.all(
  Object.values(COST_COLUMNS).map(async (name) => [name, await synth(STAGES[name])] as const),
);
process.stdout.write(`${costTable(Object.fromEntries(graphs) as Parameters<typeof costTable>[0])}\n`);
