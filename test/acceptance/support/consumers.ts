/** Programs of other projects that use an image service, run with their own code, and what each of their checks says. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Glimpse, runClient, startGlimpse } from '../../support/glimpse.ts';
import { s3Of } from '../../support/image-client.ts';
import { becomeService } from '../../support/service-role.ts';

/** CI installs them all, so there a missing one fails its tests; elsewhere they are skipped, and it is said why. */
const REQUIRED = process.env['GLIMPSE_REQUIRE_CONSUMERS'] !== undefined;

/** @param paths one of its files each; @param names the package to install */
export function isPresent(paths: readonly string[], names: string): boolean {
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length === 0 || REQUIRED) return true;
  process.stdout.write(`skipped: no ${missing.join(', ')} (install ${names})\n`);
  return false;
}

/** Debian's Python, whatever else stands first in PATH, and quiet. */
const PYTHON = '/usr/bin/python3';
const QUIET = { PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1' };

/** A raw disk of whole sectors, and not of any other format. */
const DISK = Buffer.concat([Buffer.alloc(4096), randomBytes(1024 * 1024 - 4096)]);

/**
 * Runs a script of `consumers/` with arguments FILE QCOW2 LOCATION against a service of its own, which shows locations and whose
 * administrator is a service, as those of Nova and Cinder are. Each of its checks, which are named here, is a test.
 */
export function testChecks(script: string, checks: readonly string[]): void {
  const undo: (() => Promise<unknown>)[] = [];
  let results: Record<string, string | null> = {};

  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'glimpse-consumer-'));
    undo.push(() => rm(dir, { recursive: true, force: true }));
    const glimpse = await startGlimpse({ config: { show_multiple_locations: true, show_image_direct_url: true } });
    undo.push(() => glimpse.stop());
    await becomeService(glimpse);
    results = await runChecks(glimpse, script, await filesIn(dir, glimpse));
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

async function runChecks(
  glimpse: Glimpse,
  script: string,
  args: readonly string[],
): Promise<Record<string, string | null>> {
  const env = { ...process.env, ...QUIET, OS_CLIENT_CONFIG_FILE: join(glimpse.dataDir, 'clouds.yaml') };
  const printed = await runClient(PYTHON, [join(import.meta.dirname, 'consumers', script), ...args], {
    env,
    cwd: glimpse.dataDir,
    timeoutMs: 220_000,
  });
  return JSON.parse(printed) as Record<string, string | null>;
}
