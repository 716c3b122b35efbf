/** The guide's cost table is what the graph says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { costAtRest, total } from './cost.ts';
import { ROOT } from './graph.ts';

const guide = readFileSync(join(ROOT, 'docs/operations/capacity.md'), 'utf8');
const graphs = inject('graphs');
const columns = [
  graphs['dev behind CloudFront'],
  graphs['production over three regions, with a Keystone'],
  graphs['production behind a load balancer in Frankfurt'],
].map(costAtRest);

test('the cost table at rest is computed from the graphs', () => {
  const row = (name: string, values: readonly number[]) =>
    `| ${[name, ...values.map((value) => value.toFixed(2))].join(' | ')} |`;
  const names = Object.keys(columns[0] ?? {});

  for (const name of names)
    expect(guide).toContain(
      row(
        name,
        columns.map((lines) => lines[name] ?? 0),
      ),
    );
  expect(guide).toContain(row('**Sum**', columns.map(total)));
});

test('a development stage costs less than a dollar and a half a day', () => {
  expect(total(columns[0] ?? {})).toBeLessThan(45);
});
