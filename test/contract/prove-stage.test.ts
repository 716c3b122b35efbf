/** scripts/prove-stage.ts on one machine: what AWS alone has is skipped with its reason, everything else passes, nothing remains. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/prove-stage.ts');
let glimpse: Glimpse;
beforeAll(async () => {
  glimpse = await startGlimpse();
});
afterAll(() => glimpse?.stop());

async function prove(...args: string[]): Promise<{ readonly code: number; readonly lines: string[] }> {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    env: { ...process.env, OS_TOKEN: await glimpse.token('demo'), OS_TOKEN_OTHER: await glimpse.token('alt') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = text(child.stdout);
  const [code] = await once(child, 'exit');
  return { code: code as number, lines: (await said).trim().split('\n') };
}

test('a stage on one machine: a verdict per line, and no image remains', async () => {
  const { code, lines } = await prove(glimpse.url, '--import-gib', '2', '--data-mib', '8');

  expect(lines).toEqual([
    expect.stringMatching(/^PASS {2}challenge: /),
    expect.stringMatching(/^PASS {2}no-store: /),
    expect.stringMatching(/^SKIP {2}error-cache: there is no CloudFront/),
    expect.stringMatching(/^PASS {2}encoded-names: /),
    expect.stringMatching(/^SKIP {2}slow-put: no distribution or load balancer/),
    expect.stringMatching(/^PASS {2}worker-files: /),
    expect.stringMatching(/^PASS {2}failure-in-words: .*nothing\.invalid/),
    expect.stringMatching(/^SKIP {2}failure-names: the names are those that Step Functions on AWS gives/),
    expect.stringMatching(/^PASS {2}large-import: .*\(2 GiB \(\d+ MiB uploaded/),
  ]);
  expect(code).toBe(0);
  const { images } = (await (await glimpse.api('demo', 'GET', '/v2/images')).json()) as { images: unknown[] };
  expect(images).toEqual([]);
});

test('--read-only makes nothing', async () => {
  const { code, lines } = await prove(glimpse.url, '--read-only');

  expect(code).toBe(0);
  expect(lines.filter((line) => line.startsWith('PASS')).map((line) => line.split(/[ :]+/)[1])).toEqual([
    'challenge',
    'no-store',
  ]);
  expect(lines.filter((line) => line.includes('it makes images (--read-only)'))).toHaveLength(6);
});

test('--help names every proof', async () => {
  const { code, lines } = await prove('--help');

  expect(code).toBe(0);
  for (const name of ['challenge', 'error-cache *', 'slow-put *', 'failure-names', 'large-import *'])
    expect(lines.join('\n')).toContain(`  ${name} `);
});
