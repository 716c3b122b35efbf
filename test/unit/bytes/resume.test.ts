/** What an attempt stored that was lost, or that failed for a while, is not moved again by the next one. */
import { describe, expect, it } from 'vitest';
import { copyStored } from '../../../bytes/copy.ts';
import { expandStored } from '../../../bytes/expand.ts';
import { dataKey } from '../../../bytes/keys.ts';
import { createPlaces } from '../../../bytes/places.ts';
import { plainWriter } from '../../../bytes/plain-writer.ts';
import { sparseWriter } from '../../../bytes/sparse-writer.ts';
import type { StoredBytes } from '../../../bytes/stored-bytes.ts';
import { openStored } from '../../../bytes/stored-image.ts';
import { BackendUnavailable, TaskAborted } from '../../../core/errors.ts';
import { type MemoryStore, memoryStore, type StoreCall } from '../../support/memory/store.ts';
import { rawDisk } from '../../support/raw-disk.ts';

const MIB = 1024 * 1024;
/** Parts of 1 MiB, of which 24 and a bit make the image. */
const SMALL = { minPartBytes: MIB, maxPartBytes: MIB, maxCopyBytes: MIB };
const RAW = rawDisk(32 * MIB).subarray(0, 24 * MIB + 512 * 512);
const PARTS = 25;
const noteKey = 'plans/task/u/copy.json';

async function rig(layout: StoredBytes['layout'], service: string) {
  const staging = memoryStore({ id: 'staging', abilities: SMALL });
  const store = memoryStore({ id: 'store', service, sparse: false, abilities: SMALL });
  const places = createPlaces(staging, [store]);
  const writer = layout === 'plain' ? plainWriter(staging, 'from/') : sparseWriter(staging, 'from/');
  await writer.write(RAW);
  const { size } = await writer.finish();
  const from: StoredBytes = { place: 'staging', prefix: 'from/', layout, size };
  let read = 0;
  const { readRange } = staging;
  staging.readRange = (key, start, end, options) => {
    read += end - start;
    return readRange.call(staging, key, start, end, options);
  };
  const copy = async (isRetry: boolean, guard?: () => Promise<void>) => {
    const options = { noteKey, isRetry, guard };
    if (layout === 'plain') await copyStored(places, from, store, 'to/', options);
    else await expandStored(places, from, store, 'to/', options);
  };
  const stored = async (): Promise<Buffer> => {
    const reader = await openStored(places, { place: 'store', prefix: 'to/', layout: 'plain', size });
    const chunks: Buffer[] = [];
    for await (const chunk of reader.stream(0, reader.size)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  };
  return { staging, store, copy, stored, read: () => read };
}

const isPart = ({ method }: StoreCall): boolean => method === 'putPart' || method === 'copyPart';

/** Asked before each part: lets so many through, and then nothing more happens (the function is frozen, and then gone). */
function lostAfter(count: number): { readonly guard: () => Promise<void>; readonly lost: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let parts = 0;
  const guard = async (): Promise<void> => {
    if (++parts <= count) return;
    // What is on its way arrives.
    setImmediate(resolve);
    await new Promise(() => undefined);
  };
  return { guard, lost: promise };
}

function failAfter(store: MemoryStore, count: number, error: Error): void {
  let parts = 0;
  store.fault = (call) => {
    if (isPart(call) && ++parts > count) throw error;
  };
}

describe.each([
  ['a copy inside one service', 'plain', 'memory'],
  ['a copy to another service', 'plain', 'abroad'],
  ['a packed image that is written whole', 'sparse', 'abroad'],
] as const)('%s', (_, layout, service) => {
  const DONE = 9;

  async function rest({
    store,
    copy,
    stored,
    read,
  }: Awaited<ReturnType<typeof rig>>): Promise<{ parts: number; read: number }> {
    store.fault = undefined;
    const [calls, bytes] = [store.calls.length, read()];
    await copy(true);
    expect((await stored()).equals(RAW)).toBe(true);
    expect(store.unfinished()).toEqual([]);
    return { parts: store.calls.slice(calls).filter(isPart).length, read: read() - bytes };
  }

  it('goes on where its function was lost', async () => {
    const play = await rig(layout, service);
    const { guard, lost } = lostAfter(DONE);
    void play.copy(false, guard);
    await lost;

    const { parts, read } = await rest(play);

    expect(parts).toBe(PARTS - DONE);
    // What is copied inside a service is not read; segments of a packed image are read whole.
    if (service === 'abroad')
      expect(read).toBeLessThanOrEqual(RAW.length - DONE * MIB + 16 * MIB * Number(layout === 'sparse'));
  });

  it('goes on where the store was away for a while', async () => {
    const play = await rig(layout, service);
    failAfter(play.store, DONE, new BackendUnavailable('gone for a while'));
    await expect(play.copy(false)).rejects.toThrow('gone for a while');

    expect((await rest(play)).parts).toBe(PARTS - DONE);
  });

  it('does nothing where all but the answer was there', async () => {
    const play = await rig(layout, service);
    await play.copy(false);

    expect(await rest(play)).toMatchObject({ parts: 0 });
  });

  it('begins anew where the source is another one', async () => {
    const play = await rig(layout, service);
    failAfter(play.store, DONE, new BackendUnavailable('gone for a while'));
    await expect(play.copy(false)).rejects.toThrow('gone for a while');
    // As if somebody had replaced it between the attempts.
    const key = layout === 'plain' ? dataKey('from/') : 'from/map';
    const object = play.staging.objects.get(key);
    if (object !== undefined) play.staging.objects.set(key, { ...object, etag: '"another"' });

    expect((await rest(play)).parts).toBe(PARTS);
  });

  it('leaves no upload that it could not note', async () => {
    const play = await rig(layout, service);
    play.staging.fault = ({ method, key }) => {
      if (method === 'putObject' && key === noteKey) throw new BackendUnavailable('gone for a while');
    };
    await expect(play.copy(false)).rejects.toThrow('gone for a while');

    expect(play.store.unfinished()).toEqual([]);
  });

  it('leaves nothing when there will be no other attempt', async () => {
    const play = await rig(layout, service);
    failAfter(play.store, DONE, new TaskAborted('the image was deleted'));
    await expect(play.copy(false)).rejects.toThrow(TaskAborted);

    expect(play.store.unfinished()).toEqual([]);
  });
});
