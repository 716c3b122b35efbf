import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../bytes/store.ts';
import { BackendUnavailable, NotFound } from '../../core/errors.ts';
import { SourceChanged, Truncated } from '../../formats/engine/errors.ts';

/** What the suite needs of an implementation. */
export interface StoreRig {
  readonly store: Store;
  /** Another bucket of the same service, under the same credentials. */
  readonly sibling: Store;
  /** The same service under other credentials, and another service. */
  readonly strangers: readonly Store[];
  /** Makes the next body of a ranged read of `store` break off after so many bytes. */
  breakNextRead(bytes: number): void;
  /** Keys of unfinished uploads of `store`. */
  unfinished(): Promise<string[]>;
  /** The service answers for an upload that was completed as if it went on, as Swift does. */
  readonly keepsEndedUploads?: true;
}

const MIB = 1024 * 1024;

/** Parts that the service did not verify are not gone on with. */
const isVerified = ({ abilities }: Store): boolean => abilities.verifiesCrc32 || abilities.verifiesMd5;

async function bytesOf(read: AsyncIterable<readonly Uint8Array[]>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const batch of read) chunks.push(...batch.map((chunk) => Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

/** What every implementation of the store port does, whatever lies behind it. Keys of a run lie under a prefix of its own. */
export function describeStore(name: string, rigOf: () => StoreRig): void {
  describe(`the store port: ${name}`, () => {
    const own = `conformance-${createHash('md5').update(name).digest('hex').slice(0, 6)}/`;
    const key = (text: string) => own + text;

    describe('one object', () => {
      it('is put, described and got whole; putting it again replaces it', async () => {
        const { store } = rigOf();
        const first = await store.putObject(key('one'), Buffer.from('before'));
        const second = await store.putObject(key('one'), Buffer.from('after that'));

        expect(await store.headObject(key('one'))).toMatchObject({ etag: second, size: 10 });
        expect(first).not.toBe(second);
        expect(Buffer.from(await store.getObject(key('one'))).toString()).toBe('after that');
      });

      it('may be empty', async () => {
        const { store } = rigOf();
        await store.putObject(key('empty'), new Uint8Array(0));

        expect(await store.headObject(key('empty'))).toMatchObject({ size: 0 });
        expect(await store.getObject(key('empty'))).toHaveLength(0);
      });

      it.each([
        ['headObject', (store: Store) => store.headObject(key('none'))],
        ['getObject', (store: Store) => store.getObject(key('none'))],
        ['readRange', (store: Store) => bytesOf(store.readRange(key('none'), 0, 1))],
        ['copyObject', (store: Store) => store.copyObject({ store, key: key('none') }, key('copy-of-none'))],
        ['copyPart', (store: Store) => store.multipart(key('x')).copyPart(0, { store, key: key('none') }, 0, 1)],
      ] as const)('that is not there is NotFound: %s', async (_, call) => {
        await expect(call(rigOf().store)).rejects.toThrow(NotFound);
      });

      it('goes when it is removed; again is fine', async () => {
        const { store } = rigOf();
        await store.putObject(key('going'), Buffer.from('x'));

        await store.removeObject(key('going'));
        await store.removeObject(key('going'));

        await expect(store.headObject(key('going'))).rejects.toThrow(NotFound);
      });

      it('is checked by the CRC32 sent with it, where the service verifies it or nobody does but us', async () => {
        const { store } = rigOf();
        const body = Buffer.from('some bytes');
        await store.putObject(key('crc'), body, { crc32: crc32(body) });
        const wrong = store.putObject(key('wrong-crc'), body, { crc32: crc32(body) ^ 1 });

        const { verifiesCrc32, verifiesMd5 } = store.abilities;
        if (verifiesCrc32 || !verifiesMd5) await expect(wrong).rejects.toThrow(BackendUnavailable);
        else await wrong;
        expect(Buffer.from(await store.getObject(key('crc')))).toEqual(body);
      });
    });

    describe('a ranged read', () => {
      const body = randomBytes(300_000);

      it.each([
        [0, 1],
        [0, 300_000],
        [299_999, 300_000],
        [65_535, 131_073],
      ])('gives bytes %i to %i', async (start, end) => {
        const { store } = rigOf();
        await store.putObject(key('random'), body);

        expect((await bytesOf(store.readRange(key('random'), start, end))).equals(body.subarray(start, end))).toBe(
          true,
        );
      });

      it('goes on where a body breaks off', async () => {
        const { store, breakNextRead } = rigOf();
        await store.putObject(key('breaking'), body);
        breakNextRead(100_000);

        expect((await bytesOf(store.readRange(key('breaking'), 7, 300_000))).equals(body.subarray(7))).toBe(true);
      });

      it('holds to the version asked for', async () => {
        const { store } = rigOf();
        const etag = await store.putObject(key('changing'), Buffer.from('before'));
        expect((await bytesOf(store.readRange(key('changing'), 0, 6, { etag }))).toString()).toBe('before');
        await store.putObject(key('changing'), Buffer.from('behind'));

        await expect(bytesOf(store.readRange(key('changing'), 0, 6, { etag }))).rejects.toThrow(SourceChanged);
      });

      it('beyond the end is Truncated', async () => {
        const { store } = rigOf();
        await store.putObject(key('short'), Buffer.from('short'));

        await expect(bytesOf(store.readRange(key('short'), 5, 6))).rejects.toThrow(Truncated);
        await expect(bytesOf(store.readRange(key('short'), 3, 9))).rejects.toThrow(Truncated);
      });

      it('may be given up before anybody looks at it', async () => {
        const { store } = rigOf();
        const read = store.readRange(key('none'), 0, 1);

        read.cancel();
        read.cancel();
      });
    });

    describe('a multipart upload', () => {
      it('takes parts in any order, at once, and again', async () => {
        const { store } = rigOf();
        const part = Math.max(store.abilities.minPartBytes, MIB);
        const bytes = randomBytes(2 * part + 5);
        const upload = store.multipart(key('parts'));

        await upload.putPart(1, randomBytes(part));
        await Promise.all([2, 0, 1].map((n) => upload.putPart(n, bytes.subarray(n * part, (n + 1) * part))));
        const etag = await upload.complete();

        expect(await store.headObject(key('parts'))).toMatchObject({ etag, size: bytes.length });
        expect((await bytesOf(store.readRange(key('parts'), 0, bytes.length, { etag }))).equals(bytes)).toBe(true);
        expect(await rigOf().unfinished()).not.toContain(key('parts'));
      });

      it('takes parts that the service copies, of the version asked for', async () => {
        const { store, sibling } = rigOf();
        const part = Math.max(store.abilities.minPartBytes, MIB);
        const bytes = randomBytes(part + 9);
        const etag = await sibling.putObject(key('copied-from'), bytes);
        const from = { store: sibling, key: key('copied-from'), etag };
        const upload = store.multipart(key('copied-parts'));

        await upload.copyPart(0, from, 9, part + 9);
        await upload.putPart(1, Buffer.from('and this'));
        await upload.complete();

        const expected = Buffer.concat([bytes.subarray(9), Buffer.from('and this')]);
        expect((await bytesOf(store.readRange(key('copied-parts'), 0, part + 8))).equals(expected)).toBe(true);
        const changed = store.multipart(key('changed')).copyPart(0, { ...from, etag: '"another"' }, 0, 9);
        await expect(changed).rejects.toThrow(SourceChanged);
      });

      it('copies an object that is too small for a range whole, where its size is named', async () => {
        const { store, sibling } = rigOf();
        const small = Math.max(store.abilities.minPartBytes, MIB);
        for (const bytes of [randomBytes(small), randomBytes(9)]) {
          await sibling.putObject(key('small'), bytes);
          const upload = store.multipart(key('copied-whole'));
          await upload.copyPart(0, { store: sibling, key: key('small'), size: bytes.length }, 0, bytes.length);
          await upload.complete();
          expect((await bytesOf(store.readRange(key('copied-whole'), 0, bytes.length))).equals(bytes)).toBe(true);
        }
      });

      it('gives its object metadata', async () => {
        const { store } = rigOf();
        const upload = store.multipart(key('told-in-parts'), undefined, { reason: 'no project "ä"' });

        await upload.putPart(0, Buffer.from('x'));
        await upload.complete();

        expect((await store.headObject(key('told-in-parts'))).metadata).toEqual({
          reason: encodeURIComponent('no project "ä"'),
        });
      });

      it('refuses a part below the bound that is not the last', async () => {
        const { store } = rigOf();
        const upload = store.multipart(key('small'));
        const id = await upload.begin();
        await upload.putPart(0, Buffer.alloc(store.abilities.minPartBytes - 1));
        await upload.putPart(1, Buffer.from('last'));

        await expect(upload.complete()).rejects.toThrow(BackendUnavailable);
        // And nobody tries the same again.
        expect(await store.resumeMultipart(key('small'), id)).toBeUndefined();
      });

      it('leaves nothing when it is aborted, and cannot go on then', async () => {
        const { store, unfinished } = rigOf();
        const upload = store.multipart(key('aborted'));
        await upload.putPart(0, Buffer.from('x'));
        expect(await unfinished()).toContain(key('aborted'));

        await upload.abort();
        await upload.abort();

        expect(await unfinished()).not.toContain(key('aborted'));
        await expect(upload.complete()).rejects.toThrow();
        await expect(store.headObject(key('aborted'))).rejects.toThrow(NotFound);
      });

      it('goes on in other hands with the parts that it has', async () => {
        const { store, unfinished, keepsEndedUploads } = rigOf();
        const part = Math.max(store.abilities.minPartBytes, MIB);
        const bytes = randomBytes(2 * part + 5);
        const upload = store.multipart(key('resumed'), undefined, { reason: 'kept' });
        const id = await upload.begin();
        await upload.putPart(1, bytes.subarray(part, 2 * part));
        await upload.putPart(0, randomBytes(part));

        const resumed = await store.resumeMultipart(key('resumed'), id);

        if (isVerified(store)) {
          expect([...(resumed?.parts ?? [])].toSorted()).toEqual([
            [0, part],
            [1, part],
          ]);
          await resumed?.multipart.putPart(0, bytes.subarray(0, part));
          await resumed?.multipart.putPart(2, bytes.subarray(2 * part));
          const etag = await resumed?.multipart.complete();
          expect(await store.headObject(key('resumed'))).toMatchObject({ etag, metadata: { reason: 'kept' } });
          expect((await bytesOf(store.readRange(key('resumed'), 0, bytes.length))).equals(bytes)).toBe(true);
          if (keepsEndedUploads !== true)
            await expect(upload.putPart(2, Buffer.from('late'))).rejects.toThrow(BackendUnavailable);
        } else expect(resumed).toBeUndefined();
        expect(await unfinished()).not.toContain(key('resumed'));
      });

      it.each(['complete', 'abort'] as const)('does not go on after %s, nor under another key', async (end) => {
        const { store, keepsEndedUploads } = rigOf();
        const upload = store.multipart(key('ended'));
        const id = await upload.begin();
        await upload.putPart(0, Buffer.from('x'));

        expect(await store.resumeMultipart(key('another'), id)).toBeUndefined();
        await upload[end]();
        const resumed = await store.resumeMultipart(key('ended'), id);
        if (end === 'abort' || keepsEndedUploads !== true) expect(resumed).toBeUndefined();
        else {
          // An attempt that does not know of the end comes to the same one.
          await resumed?.multipart.complete();
          expect(Buffer.from(await store.getObject(key('ended'))).toString()).toBe('x');
        }
      });

      it('that was never begun has nothing to abort', async () => {
        await rigOf().store.multipart(key('never')).abort();
      });
    });

    describe('a copy', () => {
      it('is the service’s own affair within it, and impossible from elsewhere', () => {
        const { store, sibling, strangers } = rigOf();

        expect([store.canCopyFrom(store), store.canCopyFrom(sibling), sibling.canCopyFrom(store)]).toEqual([
          true,
          true,
          true,
        ]);
        expect(strangers.map((stranger) => [store.canCopyFrom(stranger), stranger.canCopyFrom(store)])).toEqual(
          strangers.map(() => [false, false]),
        );
      });

      it('has the bytes of the source; again changes nothing', async () => {
        const { store, sibling } = rigOf();
        const odd = key('copy source, ä+%.bin');
        const etag = await store.putObject(odd, Buffer.from('copied'));

        await sibling.copyObject({ store, key: odd, etag }, key('copy'));
        await sibling.copyObject({ store, key: odd }, key('copy'));

        expect(Buffer.from(await sibling.getObject(key('copy'))).toString()).toBe('copied');
      });

      it('is refused when the source is another version', async () => {
        const { store, sibling } = rigOf();
        await store.putObject(key('versioned'), Buffer.from('x'));

        const copy = sibling.copyObject({ store, key: key('versioned'), etag: '"another"' }, key('not-made'));

        await expect(copy).rejects.toThrow(SourceChanged);
        await expect(sibling.headObject(key('not-made'))).rejects.toThrow(NotFound);
      });

      it('may get metadata of its own', async () => {
        const { store } = rigOf();
        await store.putObject(key('plain'), Buffer.from('x'));

        await store.copyObject({ store, key: key('plain') }, key('told'), { metadata: { reason: 'no project "ä"' } });

        expect((await store.headObject(key('told'))).metadata).toEqual({
          reason: encodeURIComponent('no project "ä"'),
        });
      });
    });

    it('removes what lies under a prefix, unfinished uploads included, and nothing else; again is fine', async () => {
      const { store, unfinished } = rigOf();
      for (let n = 0; n < 12; n++) await store.putObject(key(`sweep/a/s/${n}`), Buffer.from('x'));
      await store.putObject(key('sweep/ab'), Buffer.from('x'));
      await store.multipart(key('sweep/a/data')).putPart(0, randomBytes(100));
      await store.multipart(key('sweep/b')).putPart(0, randomBytes(100));

      await store.removePrefix(key('sweep/a/'));
      await store.removePrefix(key('sweep/a/'));

      expect(await store.headObject(key('sweep/ab'))).toMatchObject({ size: 1 });
      for (const n of [0, 11]) await expect(store.headObject(key(`sweep/a/s/${n}`))).rejects.toThrow(NotFound);
      const left = (await unfinished()).filter((found) => found.startsWith(key('sweep/')));
      expect(left).toEqual([key('sweep/b')]);
      await store.removePrefix(own);
    });

    describe('an aborted signal', () => {
      const reason = new Error('the client is gone');
      const signal = AbortSignal.abort(reason);

      it.each([
        ['headObject', (store: Store) => store.headObject(key('signal'), signal)],
        ['getObject', (store: Store) => store.getObject(key('signal'), signal)],
        ['putObject', (store: Store) => store.putObject(key('unsent'), Buffer.from('x'), { signal })],
        ['readRange', (store: Store) => bytesOf(store.readRange(key('signal'), 0, 1, { signal }))],
        ['copyObject', (store: Store) => store.copyObject({ store, key: key('signal') }, key('unsent'), { signal })],
        ['multipart', (store: Store) => store.multipart(key('unsent'), signal).putPart(0, Buffer.from('x'))],
      ] as const)('ends %s with its reason', async (_, call) => {
        const { store } = rigOf();
        await store.putObject(key('signal'), Buffer.from('x'));

        await expect(call(store)).rejects.toBe(reason);
        await expect(store.headObject(key('unsent'))).rejects.toThrow(NotFound);
      });

      it('ends a read in its middle', async () => {
        const { store } = rigOf();
        await store.putObject(key('long'), Buffer.alloc(4 * MIB));
        const controller = new AbortController();
        const read = store.readRange(key('long'), 0, 4 * MIB, { signal: controller.signal });

        const reading = (async () => {
          for await (const batch of read) if (batch.length > 0) controller.abort(reason);
        })();

        await expect(reading).rejects.toBe(reason);
      });
    });
  });
}
