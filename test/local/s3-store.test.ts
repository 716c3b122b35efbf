import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { abilitiesOf, knownAbilitiesOf } from '../../aws/s3/abilities.ts';
import { AWS_ABILITIES } from '../../aws/s3/bucket.ts';
import { createS3Client } from '../../aws/s3/client.ts';
import { CAUTIOUS } from '../../aws/s3/probe.ts';
import { createS3Store, type S3StoreOptions } from '../../aws/s3/store.ts';
import { parseConfig } from '../../core/config.ts';
import { BackendUnavailable, Throttled } from '../../core/errors.ts';
import { type S3Rig, startPlaces } from '../support/s3-places.ts';
import { describeStore, type StoreRig } from '../support/store-conformance.ts';

const config = parseConfig({
  stores: [
    { id: 'one', bucket: 'bucket-one' },
    { id: 'two', bucket: 'bucket-two' },
  ],
});
let s3: S3Rig;

beforeAll(async () => {
  s3 = await startPlaces(config);
});
afterAll(() => s3.close());

function rig(options: Partial<S3StoreOptions> = {}): StoreRig {
  const { client } = s3.s3('one');
  const store = (id: string, more: Partial<S3StoreOptions> = {}) =>
    createS3Store({ id, bucket: `bucket-${id}`, client, sparse: true, service: s3.endpoint, ...options, ...more });
  return {
    store: store('one'),
    sibling: store('two'),
    strangers: [store('two', { credentials: 'others' }), store('two', { service: 'aws' })],
    breakNextRead: (bytes) => s3.breakNextBody(bytes),
    unfinished: async () =>
      (await s3.keys('one')).flatMap((key) => (key.startsWith('upload:') ? [key.slice('upload:'.length)] : [])),
  };
}

describeStore('S3', () => rig());

/** Spoken to as to a service that can as little as services of this protocol can. */
const poor = {
  ...AWS_ABILITIES,
  verifiesCrc32: false,
  fullObjectCrc32: false,
  needsContentMd5: true,
  conditionalCopies: false,
  etagOfComplete: false,
};
describeStore('S3 without checksums, conditions and answers it can do without', () => rig({ abilities: poor }));

it('goes on with all parts of an upload that are more than one listing has', async () => {
  const store = s3.s3('one');
  const upload = store.multipart('many-parts');
  const id = await upload.begin();
  for (let first = 0; first < 1_100; first += 50)
    await Promise.all(Array.from({ length: 50 }, (_, n) => upload.putPart(first + n, Buffer.from('x'))));

  const { parts } = (await store.resumeMultipart('many-parts', id)) ?? {};

  expect(parts?.size).toBe(1_100);
  await upload.abort();
});

/** Sent without anything that the service could verify it by, and read back. */
const silent = { ...poor, verifiesMd5: false, needsContentMd5: false };
describeStore('S3 that verifies nothing', () => rig({ abilities: silent }));

describe('a service that verifies nothing', () => {
  /** Damages a byte of each body on its way. */
  const damaging = () => {
    const { client, ...store } = s3.s3('one');
    const damaged = createS3Client('us-east-1', s3.endpoint);
    damaged.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { method: string; body?: Uint8Array };
        if (request.method === 'PUT' && request.body instanceof Uint8Array) {
          request.body = Uint8Array.from(request.body);
          request.body[0] = (request.body[0] ?? 0) ^ 1;
        }
        return next(args);
      },
      { step: 'finalizeRequest', name: 'damage' },
    );
    return createS3Store({ ...store, client: damaged, abilities: silent, service: s3.endpoint });
  };

  it('does not keep an object unnoticed that is not what was sent', async () => {
    await expect(damaging().putObject('damaged', Buffer.from('some bytes'))).rejects.toThrow(BackendUnavailable);
  });

  it('does not keep an upload unnoticed that is not what was sent', async () => {
    const upload = damaging().multipart('damaged-in-parts');
    await upload.putPart(0, Buffer.from('some bytes'));

    await expect(upload.complete()).rejects.toThrow(BackendUnavailable);
  });
});

describe('what a service can', () => {
  const ask = (overrides?: Parameters<typeof abilitiesOf>[1], now?: () => number) =>
    abilitiesOf({ ...s3.s3('two'), service: s3.endpoint }, overrides, now);
  const requests = async (work: () => Promise<unknown>): Promise<number> => {
    let count = 0;
    const { middlewareStack } = s3.s3('two').client;
    middlewareStack.add(
      (next) => (args) => {
        count++;
        return next(args);
      },
      { step: 'build', name: 'count' },
    );
    await work();
    middlewareStack.remove('count');
    return count;
  };
  const keptKey = 'probe/abilities.json';

  it('is found out by asking it, and nothing else of the probe stays', async () => {
    expect(await ask()()).toEqual(AWS_ABILITIES);
    expect((await s3.keys('two')).filter((key) => /probe/.test(key))).toEqual([keptKey]);
  });

  it('is remembered beside its images for a week', async () => {
    await ask()();

    expect(await requests(ask())).toBe(1);
    expect(await requests(ask(undefined, () => Date.now() + 8 * 24 * 60 * 60_000))).toBeGreaterThan(10);
  });

  it.each([
    '',
    '{',
    '{"abilities": {}}',
    '{"service": "https://elsewhere.example.org", "foundAtMs": 1e15, "abilities": {}}',
  ])('is asked for again where what was remembered is of no use: %j', async (text) => {
    await s3.s3('two').putObject(keptKey, Buffer.from(text));

    expect(await ask()()).toEqual(AWS_ABILITIES);
  });

  it('is told as it was found out last, however long ago, and asked for by no probe', async () => {
    const known = (overrides?: Parameters<typeof abilitiesOf>[1]) =>
      knownAbilitiesOf({ ...s3.s3('two'), service: s3.endpoint }, overrides);
    await s3.s3('two').removeObject(keptKey);
    expect(await requests(async () => expect(await known()()).toBeUndefined())).toBe(1);

    await ask(undefined, () => 0)();
    expect(await known()()).toEqual(AWS_ABILITIES);
    expect(await known({ verifies_crc32: false })()).toEqual({ ...AWS_ABILITIES, verifiesCrc32: false });

    await s3.s3('two').putObject(keptKey, Buffer.from('{"service": "https://elsewhere.example.org", "foundAtMs": 1}'));
    expect(await known()()).toBeUndefined();
  });

  it('is what the configuration says, where it says something', async () => {
    expect(await ask({ verifies_crc32: false, etag_of_complete: false })()).toEqual({
      ...AWS_ABILITIES,
      verifiesCrc32: false,
      etagOfComplete: false,
    });
  });

  it('needs no question when the configuration says everything', async () => {
    const all = {
      verifies_crc32: false,
      verifies_md5: true,
      part_checksums_in_complete: false,
      full_object_crc32: false,
      needs_content_md5: true,
      conditional_copies: true,
      etag_of_complete: true,
    };

    expect(
      await requests(async () =>
        expect(await ask(all)()).toEqual({
          ...CAUTIOUS,
          verifiesMd5: true,
          conditionalCopies: true,
          etagOfComplete: true,
        }),
      ),
    ).toBe(0);
  });

  it('is not known while the service is away; the next call asks again', async () => {
    await s3.s3('two').removeObject(keptKey);
    const find = ask();
    s3.faults.set('bucket-two', { status: 503, code: 'SlowDown', count: 4 });

    await expect(find()).rejects.toThrow(Throttled);
    expect(await find()).toEqual(AWS_ABILITIES);
  });
});
