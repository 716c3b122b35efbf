import { expect, it } from 'vitest';
import { testRows, useWorld } from './support/client-rows.ts';
import { GLANCE_COMMANDS, GLANCE_CONFIG } from './support/glance-commands.ts';

const world = useWorld(GLANCE_CONFIG);

testRows('glance', GLANCE_COMMANDS, world);

/** `help` and `bash-completion` speak to nobody; `md-*` and `cache-*` have tests of their own. */
const ELSEWHERE = /^(md-|cache-|help$|bash-completion$)/;

it('the table names every command of the installed client', async () => {
  const help = await world().glimpse.client('demo', 'glance', ['help']);

  const commands = [...help.matchAll(/^ {4}([a-z][a-z-]+)(?= |$)/gm)].map(([, name = '']) => name);

  expect(commands.length).toBeGreaterThan(60);
  expect([...new Set(GLANCE_COMMANDS.map(({ command }) => command))].sort()).toEqual(
    commands.filter((name) => !ELSEWHERE.test(name)).sort(),
  );
});
