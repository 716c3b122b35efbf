/** A function that is lost in the middle of a long step: what it stored is not fetched, and not stored, again. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { anImage } from '../../support/images.ts';
import { expectClean, expectImported } from '../../support/memory/import-ends.ts';
import { type ImportRig, importRig, type WebAnswer } from '../../support/memory/imports.ts';
import { rawDisk } from '../../support/raw-disk.ts';

const MIB = 1024 * 1024;
const URI = 'https://images.example.org/disk.raw';
const DISK = Buffer.concat([rawDisk(MIB), randomBytes(15 * MIB)]);
/** The function is lost when so much has come: six parts of 1 MiB stand. */
const CAME = 6.5 * MIB;
const STAND = 6;

async function downloading(config: Record<string, unknown> = {}): Promise<{
  rig: ImportRig;
  imageId: string;
  taskId: string;
}> {
  const rig = importRig(config);
  Object.assign(rig.staging.abilities, { minPartBytes: MIB, maxPartBytes: MIB });
  const image = anImage({ diskFormat: 'raw', containerFormat: 'bare' });
  await rig.deps.images.create(image);
  return { rig, imageId: image.id, taskId: await rig.task(image, { name: 'web-download', uri: URI }) };
}

const partsOf = ({ staging }: ImportRig, name: RegExp): number =>
  staging.calls.filter(({ method, key }) => method === 'putPart' && name.test(key)).length;

const LOST = Object.assign(new Error('Task timed out after 900.00 seconds'), { name: 'Sandbox.Timedout' });

const forEver = (): Promise<void> => new Promise(() => undefined);

/** The first call of a step is frozen where `freeze` is called, and then gone; its container comes after `meanwhile`. */
function losing(
  rig: ImportRig,
  step: string,
  meanwhile: () => void = () => undefined,
): { freeze: () => Promise<void> } {
  const gone = Promise.withResolvers<never>();
  gone.promise.catch(meanwhile);
  let isFirst = true;
  rig.around = async (call, run) => {
    if (call.step !== step || !isFirst) return run();
    isFirst = false;
    return Promise.race([run(), gone.promise]);
  };
  let isLost = false;
  return {
    async freeze() {
      if (isLost) return;
      isLost = true;
      // What is on its way to the store arrives.
      setImmediate(() => gone.reject(LOST));
      await forEver();
    },
  };
}

/** A file, and the bytes of it that went out. */
function file(
  body: Uint8Array,
  { at, ...options }: Partial<WebAnswer> & { readonly at?: (offset: number) => Promise<void> } = {},
): { readonly answer: WebAnswer; readonly sent: () => number } {
  let sent = 0;
  const onChunk = async (offset: number, bytes: number): Promise<void> => {
    await at?.(offset);
    sent += bytes;
  };
  return { answer: { body, onChunk, ...options }, sent: () => sent };
}

describe('a download', () => {
  it.each([
    ['with its length', {}],
    ['of unknown length', { length: null }],
  ] as const)('%s goes on in the container where its function was lost', async (_, options) => {
    const { rig, imageId, taskId } = await downloading();
    const { freeze } = losing(rig, 'fetch');
    const { answer, sent } = file(DISK, {
      ...options,
      validator: '"one"',
      at: async (offset) => (offset >= CAME ? freeze() : undefined),
    });
    rig.web.set(URI, answer);

    const { status, steps } = await rig.run(taskId);

    expect(status).toBe('SUCCEEDED');
    expect(steps).toContain('fetch in container');
    await expectImported(rig, imageId, DISK);
    expect(sent()).toBe(DISK.length + CAME - STAND * MIB);
    expect(partsOf(rig, /staged/)).toBe(DISK.length / MIB);
    expectClean(rig);
  });

  it.each([
    ['has changed', { validator: '"two"' }],
    ['has no name any more', {}],
  ] as const)('begins anew when the file %s', async (_, options) => {
    const { rig, imageId, taskId } = await downloading();
    const other = file(Buffer.concat([DISK.subarray(0, MIB), randomBytes(9 * MIB)]), options);
    const { freeze } = losing(rig, 'fetch', () => void rig.web.set(URI, other.answer));
    const at = async (offset: number) => (offset >= CAME ? freeze() : undefined);
    rig.web.set(URI, file(DISK, { validator: '"one"', at }).answer);

    expect(await rig.run(taskId)).toMatchObject({ status: 'SUCCEEDED' });

    await expectImported(rig, imageId, Buffer.from(other.answer.body));
    expect(other.sent()).toBe(other.answer.body.length);
    expectClean(rig);
  });

  it('of which all is stored asks for nothing more', async () => {
    const { rig, imageId, taskId } = await downloading();
    const { freeze } = losing(rig, 'fetch');
    const { answer, sent } = file(DISK, { validator: '"one"' });
    rig.web.set(URI, answer);
    rig.staging.fault = async ({ method }) => (method === 'complete' ? freeze() : undefined);

    expect(await rig.run(taskId)).toMatchObject({ status: 'SUCCEEDED' });

    await expectImported(rig, imageId, DISK);
    expect(sent()).toBe(DISK.length);
    expect(partsOf(rig, /staged/)).toBe(DISK.length / MIB);
  });
});

it('what is unpacked again because its function was lost is not stored again', async () => {
  const { rig, imageId, taskId } = await downloading({ image_import_plugins: ['image_decompression'] });
  const { freeze } = losing(rig, 'plugin');
  rig.web.set(URI, { body: gzipSync(DISK, { level: 1 }) });
  let reads = 0;
  // Of the packed bytes, 4 MiB each.
  rig.staging.fault = async ({ method, key }) =>
    method === 'getRange' && key.startsWith('staged/') && ++reads === 4 ? freeze() : undefined;

  expect(await rig.run(taskId)).toMatchObject({ status: 'SUCCEEDED' });

  await expectImported(rig, imageId, DISK);
  expect(reads).toBeGreaterThan(4);
  expect(partsOf(rig, /unpacked/)).toBe(DISK.length / MIB);
  expectClean(rig);
});
