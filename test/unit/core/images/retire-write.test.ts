import { beforeEach, describe, expect, it } from 'vitest';
import type { Duty } from '../../../../core/duties/duty.ts';
import { BackendUnavailable, Conflict, NotFound } from '../../../../core/errors.ts';
import type { Image } from '../../../../core/images/image.ts';
import { retireWrite, sweepRetired, TOMBSTONE_MS } from '../../../../core/images/retire-write.ts';
import { abandonUpload } from '../../../../core/images/upload.ts';
import { storageQuotaBytes } from '../../../../core/quota/ceilings.ts';
import { aLocation, anImage } from '../../../support/images.ts';

let now: number;
let duties: Map<string, Duty>;
let swept: string[];
let broken: boolean;
let image: Image | undefined;

const write = { imageId: 'i', writeId: 'w', places: [{ place: 'staging', prefix: 'staged/i/w/' }] };
const uploadDuty: Duty = { ...write, id: 'upload:w', kind: 'upload', dueAtMs: 0 };

const deps = {
  clock: { now: () => now },
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  duties: {
    put: async (duty: Duty) => void duties.set(duty.id, duty),
    postpone: async () => false,
    remove: async (id: string) => void duties.delete(id),
    due: async () => [...duties.values()],
  },
  bytes: {
    removePrefix: async (place: string, prefix: string) => {
      if (broken) throw new BackendUnavailable('down');
      swept.push(`${place}:${prefix}`);
    },
    exists: async () => false,
  },
  images: {
    create: async () => undefined,
    get: async () => image,
    noteProgress: async () => undefined,
    delete: async () => image as Image,
    change: async (_id: string, change: { expect?: { lock?: string | null }; set?: Partial<Image> }) => {
      if (image === undefined) throw new NotFound('gone');
      if (image.lock !== change.expect?.lock) throw new Conflict('another lock');
      image = { ...image, ...change.set };
      return image;
    },
  },
};

beforeEach(() => {
  now = 1_000;
  duties = new Map([[uploadDuty.id, uploadDuty]]);
  swept = [];
  broken = false;
  image = anImage({ id: 'i', status: 'saving', lock: 'w' });
});

describe('retireWrite', () => {
  it('sweeps at once and once more when no writer can be alive', async () => {
    await retireWrite(deps, write);
    const [tombstone] = [...duties.values()].filter(({ kind }) => kind === 'retired');

    expect(tombstone).toMatchObject({ id: 'retired:i:w', dueAtMs: now + TOMBSTONE_MS, attempt: 1 });
    await sweepRetired(deps, tombstone as Duty);
    expect(swept).toEqual(['staging:staged/i/w/', 'staging:staged/i/w/']);
    expect(duties.has('retired:i:w')).toBe(false);
  });

  it('leaves a duty for the next minute when a place does not answer', async () => {
    broken = true;

    await retireWrite(deps, write);

    expect(duties.get('retired:i:w')).toMatchObject({ dueAtMs: now + 60_000, attempt: 0 });
  });
});

describe('abandonUpload', () => {
  it('queues the image again, frees it and sweeps', async () => {
    await abandonUpload(deps, uploadDuty);

    expect(image).toMatchObject({ status: 'queued', lock: null, size: null });
    expect(swept).toEqual(['staging:staged/i/w/']);
    expect([...duties.keys()]).toEqual(['retired:i:w']);
  });

  it('keeps the bytes of an upload that had completed', async () => {
    image = anImage({ id: 'i', status: 'active', locations: [aLocation('central', { writeId: 'w' })] });

    await abandonUpload(deps, uploadDuty);

    expect(image).toMatchObject({ status: 'active' });
    expect(swept).toEqual([]);
    expect([...duties.keys()]).toEqual([]);
  });

  it('leaves an image alone that another operation holds, and sweeps its own bytes', async () => {
    image = anImage({ id: 'i', status: 'importing', lock: 'task-2' });

    await abandonUpload(deps, uploadDuty);

    expect(image).toMatchObject({ status: 'importing', lock: 'task-2' });
    expect(swept).toEqual(['staging:staged/i/w/']);
  });

  it('sweeps when the image is gone', async () => {
    image = undefined;

    await abandonUpload(deps, uploadDuty);

    expect(swept).toEqual(['staging:staged/i/w/']);
  });
});

it.each([
  ['0', 0],
  ['10', 10],
  ['10B', 10],
  ['2KB', 2048],
  ['1TB', 1024 ** 4],
])('reads the quota %s as %i bytes', (text, bytes) => {
  expect(storageQuotaBytes(text)).toBe(bytes);
});
