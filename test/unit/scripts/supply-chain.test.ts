import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const LOCK = join(import.meta.dirname, '../../../package-lock.json');
interface Locked {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
}

it('every package of the lock file, those of other platforms included, has an integrity', () => {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8')) as { readonly packages: Record<string, Locked> };
  const installed = Object.entries(packages).filter(([path, { link }]) => path !== '' && link !== true);

  expect(installed.length).toBeGreaterThan(100);
  expect(installed.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''))).toEqual([]);
});
