import { createHash } from 'node:crypto';
import { ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertWhole } from '../../../../bytes/imports/verify-whole.ts';
import type { ImportTask } from '../../../../core/imports/report/import-task.ts';
import { inspect } from '../../../../formats/inspect.ts';
import { fileSource } from '../../../../formats/node/file-source.ts';
import { ovf, tar } from '../../formats/archive-builders.ts';

/** A disk of zeros that an inspection does not hash. */
const DISK_BYTES = 512 * 1024 * 1024 + 1024 * 1024;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'glimpse-verify-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** An appliance as a sparse file, with a manifest of one line about its disk. */
function appliance(name: string, digest: string): string {
  const path = join(dir, name);
  const front = tar({ name: 'vm.ovf', data: ovf() }, { name: 'vm.mf', data: `SHA1(disk.img)= ${digest}\n` });
  const sizeField = Buffer.from(`${DISK_BYTES.toString(8).padStart(11, '0')}\0`);
  const header = tar({ name: 'disk.img', sizeField }).subarray(0, 512);
  const file = openSync(path, 'w');
  writeSync(file, Buffer.concat([front.subarray(0, -1024), header]));
  ftruncateSync(file, front.length - 1024 + 512 + DISK_BYTES + 1024);
  return path;
}

function zerosDigest(): string {
  const hash = createHash('sha1');
  const piece = Buffer.alloc(1024 * 1024);
  for (let done = 0; done < DISK_BYTES; done += piece.length) hash.update(piece);
  return hash.digest('hex');
}

/** The records that a reporter writes, kept; time passes by the second. */
function records() {
  const batches: { phase: string; bytesDone: number }[] = [];
  const duties: unknown[] = [];
  let now = 0;
  const deps = {
    clock: { now: () => (now += 1000) },
    tasks: { putBatch: async (batch: (typeof batches)[number]) => batches.push(batch), get: async () => undefined },
    duties: { postpone: async (duty: unknown) => duties.push(duty) > 0 },
    images: {},
  } as unknown as Parameters<typeof assertWhole>[0];
  return { deps, batches, duties };
}

const TOOLS = { assertFits: () => undefined };
const task = { id: 'task', imageId: 'image' } as ImportTask;

describe('an appliance above what an inspection hashes', () => {
  it('is refused when its manifest is wrong; the task shows life meanwhile', async () => {
    const source = await fileSource(appliance('wrong.ova', '0'.repeat(40)));
    const { deps, batches, duties } = records();
    try {
      const found = await inspect(source);
      expect(found).toMatchObject({ format: 'ova', verdict: 'accept' });
      expect(found.findings.map(({ code }) => code)).toContain('manifest_unverified');

      await expect(assertWhole(deps, task, found.format, async () => source, TOOLS)).rejects.toMatchObject({
        kind: 'ImageRefused',
        message: expect.stringMatching(/digest_mismatch: "disk\.img": SHA1 is [0-9a-f]{40}, the manifest says 0{40}/),
      });
    } finally {
      await source.close();
    }
    expect(batches.length).toBeGreaterThan(100);
    expect(batches.at(-1)).toMatchObject({ phase: 'verify' });
    expect(duties.length).toBeGreaterThan(100);
  });

  it('is accepted when its manifest is right', async () => {
    const source = await fileSource(appliance('right.ova', zerosDigest()));
    try {
      await expect(assertWhole(records().deps, task, 'ova', async () => source, TOOLS)).resolves.toBeUndefined();
    } finally {
      await source.close();
    }
  });
});

describe('anything else', () => {
  it.each(['raw', 'qcow2', undefined])('is not opened again: %s', async (format) => {
    const open = async () => Promise.reject(new Error('opened'));

    await expect(assertWhole(records().deps, task, format, open, TOOLS)).resolves.toBeUndefined();
  });
});
