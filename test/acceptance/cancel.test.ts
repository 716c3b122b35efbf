/** An import that is ended and begun again by the command, on a whole service: what is under way is stopped, and the retry is the same import. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { credentials, type Glimpse, settled, startGlimpse } from '../support/glimpse.ts';
import { fileAt } from '../support/web-server.ts';

const BYTES = randomBytes(4 * 2 ** 20);

let glimpse: Glimpse;
beforeAll(async () => {
  glimpse = await startGlimpse({
    config: { image_import_plugins: [], import_filtering_opts: { allow_private_addresses: true, allowed_ports: [] } },
  });
});
afterAll(() => glimpse?.stop());

/** `glimpse imports …` as demo; its standard output. */
async function imports(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, ...(await credentials(glimpse.dataDir, 'demo')) };
  const { stdout } = await promisify(execFile)(process.execPath, ['cli/bin.mjs', 'imports', ...args], { env });
  return stdout;
}

test('glimpse imports cancel shows how far a download was, and retry begins it again', async () => {
  let isSlow = true;
  const uri = await fileAt((_request, response) => {
    response.writeHead(200, { 'content-length': BYTES.length });
    if (isSlow) response.write(BYTES.subarray(0, BYTES.length / 2));
    else response.end(BYTES);
  });
  const body = { name: 'slow', disk_format: 'raw', container_format: 'bare' };
  const { id } = (await (await glimpse.api('demo', 'POST', '/v2/images', { body })).json()) as { readonly id: string };
  const method = { name: 'web-download', uri };
  const begun = await glimpse.api('demo', 'POST', `/v2/images/${id}/import`, { body: { method } });
  expect(begun.status).toBe(202);
  await expect.poll(() => imports('list', '--image', id)).toMatch(/fetch, \d+%/);
  const task = /^\S+/.exec(await imports('list', '--image', id))?.[0] ?? '';

  const said = await imports('cancel', task);

  expect(said).toMatch(
    new RegExp(`^${task}  cancelled; web-download of ${id} to central; fetch, \\d+%.*; retry until `),
  );
  expect(await imports('cancel', task)).toContain('cancelled');
  expect(await settled(glimpse, 'demo', id)).toMatchObject({ status: 'queued', os_glance_failed_import: '' });

  isSlow = false;
  const again = /^\S+/.exec(await imports('retry', task))?.[0];
  expect(again).not.toBe(task);
  const image = await settled(glimpse, 'demo', id);
  expect(image).toMatchObject({ status: 'active', checksum: createHash('md5').update(BYTES).digest('hex') });
  await expect(imports('cancel', again ?? '')).rejects.toThrow('has ended already: success');
  expect((await imports('list', '--json')).trim().split('\n')).toHaveLength(2);
});
