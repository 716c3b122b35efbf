import { expect, it } from 'vitest';
import { testRows, useWorld } from './support/client-rows.ts';
import { OPENSTACK_COMMANDS } from './support/openstack-commands.ts';

const world = useWorld({});

testRows('openstack', OPENSTACK_COMMANDS, world);

/**
 * Commands of later releases that the tables leave to their own release: image import, stage, tasks, stores and metadefs came with
 * 6.1 and later; Debian 12 has 6.0.
 */
it('the table names every image command of the installed client', async () => {
  const help = await world().glimpse.client('demo', 'openstack', ['image', '--help']);

  const commands = [...help.matchAll(/^ {2}(image [a-z ]+)$/gm)].map(([, name = '']) => name);

  expect(commands.length).toBeGreaterThan(8);
  expect(
    [...new Set(OPENSTACK_COMMANDS.map(({ command }) => command))].filter((name) => name.startsWith('image')).sort(),
  ).toEqual(commands.sort());
});
