import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const BIN = join(import.meta.dirname, '../../../cli/bin.mjs');
/** Clears the screen (C0), sets a title (C1), turns the direction of what follows. */
const HOSTILE = 'a\u001b[2J\u009b2J\u009d0;x\u202e';

it('shows names of strangers without obeying them, in complaints too', () => {
  for (const args of [
    ['inspect', HOSTILE],
    ['map', HOSTILE],
    ['inspect', '--json', HOSTILE],
    ['convert', HOSTILE, 'x.raw'],
  ]) {
    const { stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8' });

    expect(stderr, args[0]).not.toBe('');
    expect((stdout + stderr).replaceAll('\n', ''), args[0]).not.toMatch(/[\p{Cc}\u202e]/u);
  }
});

it('escapes them in JSON, where they read back as they were', async () => {
  const { printableJson } = await import('../../../cli/printable.ts');

  expect(printableJson({ name: HOSTILE })).not.toMatch(/[\p{Cc}\u202e]/u);
  expect(JSON.parse(printableJson({ name: HOSTILE }))).toEqual({ name: HOSTILE });
});
