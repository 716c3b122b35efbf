/** The current clients of OpenStack, those of PyPI: what they have beyond Debian's, and the tables of Debian's. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testRows, useWorld } from './support/client-rows.ts';
import { CORE_ONLY, CURRENT, isPresent } from './support/consumers.ts';
import { GLANCE_COMMANDS, GLANCE_CONFIG } from './support/glance-commands.ts';
import { OPENSTACK_COMMANDS } from './support/openstack-commands.ts';
import { CURRENT_COMMANDS, CURRENT_CORE } from './support/openstack-current-commands.ts';

const OPENSTACK = join(CURRENT, 'bin/openstack');
const GLANCE = join(CURRENT, 'bin/glance');
const present = isPresent(
  [OPENSTACK, GLANCE],
  'python-openstackclient and python-glanceclient of PyPI, as .ci/stages.sh does',
);

describe.skipIf(!present)('openstack', () => {
  const world = useWorld({});

  testRows(OPENSTACK, CORE_ONLY ? CURRENT_CORE : [...CURRENT_COMMANDS, ...OPENSTACK_COMMANDS], world);

  it('has no image command that the tables do not name', async () => {
    const help = await world().glimpse.client('demo', OPENSTACK, ['image', '--help']);

    const commands = [...help.matchAll(/^ {2}(image [a-z ]+)$/gm)].map(([, name = '']) => name);

    const named = [...OPENSTACK_COMMANDS, ...CURRENT_COMMANDS].map(({ command }) => command);
    expect(commands.length).toBeGreaterThan(30);
    expect([...new Set(named)].filter((name) => name.startsWith('image')).sort()).toEqual(commands.sort());
  });
});

describe.skipIf(!present || CORE_ONLY)('glance', () => {
  testRows(GLANCE, GLANCE_COMMANDS, useWorld(GLANCE_CONFIG));
});
