/** The guide's cost table is what the graph says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { COST_COLUMNS, costAtRest, costTable, total } from './cost.ts';
import { ROOT } from './graph.ts';

const graphs = inject('graphs');

test('the cost table at rest is computed from the graphs', () => {
  const guide = readFileSync(join(ROOT, 'docs/operations/capacity.md'), 'utf8');

  expect(guide).toContain(costTable(graphs));
});

test('a development stage costs less than a dollar and a half a day', () => {
  expect(total(costAtRest(graphs[COST_COLUMNS.dev]))).toBeLessThan(45);
});
