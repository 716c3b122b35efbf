/** A copy that broke off is taken up where it stands. */
import { expect, it } from 'vitest';
import { copyStored } from '../../../bytes/copy.ts';
import { createPlaces } from '../../../bytes/places.ts';
import { sparseWriter } from '../../../bytes/sparse-writer.ts';
import { openStored } from '../../../bytes/stored-image.ts';
import { BackendUnavailable } from '../../../core/errors.ts';
import { memoryStore } from '../../support/memory/store.ts';
import { rawDisk } from '../../support/raw-disk.ts';

const MIB = 1024 * 1024;
const SLICES = 12;
const RAW = rawDisk(SLICES * 16 * MIB);

it.each([
  ['inside one service', 'memory', 'copyObject'],
  ['to another service', 'abroad', 'putObject'],
] as const)('%s: segments that stand are not moved again', async (_, service, method) => {
  const staging = memoryStore({ id: 'staging' });
  const store = memoryStore({ id: 'store', service });
  const places = createPlaces(staging, [store]);
  const writer = sparseWriter(staging, 'from/');
  await writer.write(RAW);
  await writer.finish();
  const from = { place: 'staging', prefix: 'from/', layout: 'sparse', size: RAW.length } as const;
  let done = 0;
  store.fault = (call) => {
    if (call.method === method && ++done > 5) throw new BackendUnavailable('gone for a while');
  };
  await expect(copyStored(places, from, store, 'to/')).rejects.toMatchObject({ kind: 'BackendUnavailable' });
  store.fault = undefined;
  const standing = store.objects.size;
  const before = store.calls.length;
  const told: number[] = [];

  await copyStored(places, from, store, 'to/', { isRetry: true, onBytes: async (bytes) => void told.push(bytes) });

  expect(standing).toBe(5);
  const segments = store.calls.slice(before).filter((call) => call.method === method && call.key.includes('/s/'));
  expect(segments.length).toBe(SLICES - standing);
  const reader = await openStored(places, { ...from, place: 'store', prefix: 'to/' });
  const chunks: Buffer[] = [];
  for await (const chunk of reader.stream(0, reader.size)) chunks.push(Buffer.from(chunk));
  expect(Buffer.concat(chunks).equals(RAW)).toBe(true);
  expect(told.length).toBe(SLICES);
});

it('to a service that verifies nothing: nobody knows whether what stands was read back', async () => {
  const staging = memoryStore({ id: 'staging' });
  const abilities = { verifiesCrc32: false, verifiesMd5: false };
  const store = memoryStore({ id: 'store', service: 'abroad', abilities });
  const places = createPlaces(staging, [store]);
  const writer = sparseWriter(staging, 'from/');
  await writer.write(RAW);
  await writer.finish();
  const from = { place: 'staging', prefix: 'from/', layout: 'sparse', size: RAW.length } as const;
  await copyStored(places, from, store, 'to/');
  // Damaged on its way, and the process ended before it looked.
  const damaged = store.objects.get('to/s/0');
  damaged?.bytes.fill(1);

  await copyStored(places, from, store, 'to/', { isRetry: true });

  const reader = await openStored(places, { ...from, place: 'store', prefix: 'to/' });
  expect(Buffer.from(await reader.read(0, 16 * MIB)).equals(RAW.subarray(0, 16 * MIB))).toBe(true);
});
