/** What an entry point reads from its environment, found in its code, is what infra sets for it: nothing is missing and nothing is for nobody. */
import { describe, expect, inject, test } from 'vitest';
import { ENVIRONMENT } from '../../service/environment.ts';
import { FUNCTIONS, INDEX_SHARDS } from '../../workflows/topology.ts';
import { environmentUseOf } from './env-use.ts';
import { containersOf, functionOf, ofType, ROOT, variablesOf } from './graph.ts';

const graph = inject('graphs')['production over three regions, with a Keystone'];

/** Set by Lambda itself, or on emulators only. */
const BY_PLATFORM: readonly string[] = [ENVIRONMENT.region, ENVIRONMENT.endpoint];
/** Every entry point could read it; it is given to those that do (infra/permissions.ts, stages.test.ts). */
const BY_GRANT: readonly string[] = [ENVIRONMENT.keystonePassword, ENVIRONMENT.sourceKeys];

const settled = (names: readonly string[]): string[] =>
  names.filter((name) => !BY_PLATFORM.includes(name) && !BY_GRANT.includes(name)).sort();

describe('functions', () => {
  test.each(Object.entries(FUNCTIONS))(
    '%s has exactly the variables that its code reads',
    async (name, { handler }) => {
      const { variables, others } = await environmentUseOf(ROOT, handler.replace(/\.handler$/, '.ts'));
      const set = Object.keys(variablesOf(functionOf(graph, name))).filter((variable) =>
        variable.startsWith('GLIMPSE_'),
      );

      expect(settled(variables)).toEqual(settled(set));
      // How a function knows that it is one (Lambda developer guide, "Defined runtime environment variables").
      expect(others).toEqual(['process.env["AWS_LAMBDA_FUNCTION_NAME"]']);
    },
  );
});

test('the gateway has exactly the variables that its code and its health check read', async () => {
  const task = ofType(graph, 'ecs/taskDefinition:TaskDefinition').find(({ name }) => name === 'GatewayTask');
  const [container] = task === undefined ? [] : containersOf(task);
  const set = [...(container?.environment ?? []), ...(container?.secrets ?? [])].map(({ name }) => name);
  const uses = await Promise.all(
    ['gateway/main.ts', 'gateway/health.ts'].map((entry) => environmentUseOf(ROOT, entry)),
  );
  const read = [...new Set(uses.flatMap(({ variables }) => variables))];

  expect(settled(read)).toEqual(settled(set.filter((name) => name.startsWith('GLIMPSE_'))));
  expect(set).toContain(ENVIRONMENT.region);
});

test('every process spreads the images of a visibility over the same number of partitions, more than one', () => {
  const name = ENVIRONMENT.indexShards;
  const functions = Object.keys(FUNCTIONS).map((each) => variablesOf(functionOf(graph, each))[name]);
  const containers = ofType(graph, 'ecs/taskDefinition:TaskDefinition')
    .flatMap(containersOf)
    .map(({ environment }) => environment?.find((variable) => variable.name === name)?.value);

  expect(containers.length).toBeGreaterThan(1);
  expect(new Set([...functions, ...containers])).toEqual(new Set([String(INDEX_SHARDS)]));
  expect(INDEX_SHARDS).toBeGreaterThan(1);
});
