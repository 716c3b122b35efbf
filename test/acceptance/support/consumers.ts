/** Programs of other projects that use an image service, run with their own code, and what each of their checks says. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AS_DEPLOYED, credentials, type Glimpse, runClient, startGlimpse } from '../../support/glimpse.ts';
import { s3Of } from '../../support/image-client.ts';
import { becomeService } from '../../support/service-role.ts';
import { runGo } from './gophercloud.ts';

/** CI installs them all, so there a missing one fails its tests; elsewhere they are skipped, and it is said why. */
const REQUIRED = process.env['GLIMPSE_REQUIRE_CONSUMERS'] !== undefined;

/** @param paths one of its files each; @param names the package to install */
export function isPresent(paths: readonly string[], names: string): boolean {
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length === 0 || REQUIRED) return true;
  process.stdout.write(`skipped: no ${missing.join(', ')} (install ${names})\n`);
  return false;
}

/** Where the current clients of OpenStack are, those of PyPI: a virtual environment that `.ci/stages.sh` fills. */
export const CURRENT = process.env['GLIMPSE_CURRENT_OPENSTACK'] ?? join(homedir(), '.cache/glimpse-openstack');

/** What takes long is left to `.ci/full`, which does it once. */
export const CORE_ONLY = process.env['GLIMPSE_TEST_CORE'] !== undefined || AS_DEPLOYED;

/** Debian's Python, whatever else stands first in PATH, and quiet. */
export const PYTHON = '/usr/bin/python3';
export const QUIET = { PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1' };

/** A raw disk of whole sectors, and not of any other format. */
const DISK = Buffer.concat([Buffer.alloc(4096), randomBytes(1024 * 1024 - 4096)]);

/** Runs the checks of `script` and resolves with what it prints; `args` are FILE QCOW2 LOCATION. */
type RunChecks = (glimpse: Glimpse, script: string, args: readonly string[]) => Promise<string>;

/**
 * Runs a script of `consumers/` with arguments FILE QCOW2 LOCATION against a service of its own, which shows locations and whose
 * administrator is a service, as those of Nova and Cinder are. Each of its checks, which are named here, is a test.
 */
export function testChecks(script: string, checks: readonly string[], run: RunChecks = byPython): void {
  const undo: (() => Promise<unknown>)[] = [];
  let results: Record<string, string | null> = {};

  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'glimpse-consumer-'));
    undo.push(() => rm(dir, { recursive: true, force: true }));
    const glimpse = await startGlimpse({ config: { show_multiple_locations: true, show_image_direct_url: true } });
    undo.push(() => glimpse.stop());
    await becomeService(glimpse);
    results = JSON.parse(await run(glimpse, script, await filesIn(dir, glimpse))) as Record<string, string | null>;
  });
  afterAll(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  it.each(checks)('%s', (name) => {
    expect(results[name] ?? (name in results ? 'passed' : 'did not run')).toBe('passed');
  });
  it('has no check that is not named here', () => {
    expect(Object.keys(results)).toEqual(checks);
  });
}

async function filesIn(dir: string, glimpse: Glimpse): Promise<readonly string[]> {
  const raw = join(dir, 'disk.raw');
  const qcow2 = join(dir, 'disk.qcow2');
  await writeFile(raw, DISK);
  await runClient('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2], {
    env: process.env,
    cwd: dir,
    timeoutMs: 60_000,
  });
  const at = { Bucket: 'glimpse-store-dcn0', Key: 'brought/disk.raw' };
  await s3Of(glimpse).send(new PutObjectCommand({ ...at, Body: DISK }));
  return [raw, qcow2, `s3://${at.Bucket}/${at.Key}`];
}

const byPython: RunChecks = (glimpse, script, args) =>
  runClient(PYTHON, [join(import.meta.dirname, 'consumers', script), ...args], {
    env: { ...process.env, ...QUIET, OS_CLIENT_CONFIG_FILE: join(glimpse.dataDir, 'clouds.yaml') },
    cwd: glimpse.dataDir,
    timeoutMs: 220_000,
  });

/** A program in Go; variable ACCOUNTS has the settings of each account as JSON, FILE and QCOW2 name the files. */
export const byGo: RunChecks = async (glimpse, script, [file = '', qcow2 = '']) => {
  const source = await readFile(join(import.meta.dirname, 'consumers', script), 'utf8');
  const [admin, demo, alt] = await Promise.all(
    (['admin', 'demo', 'alt'] as const).map((account) => credentials(glimpse.dataDir, account)),
  );
  return runGo(source, { ACCOUNTS: JSON.stringify({ admin, demo, alt }), FILE: file, QCOW2: qcow2 });
};
