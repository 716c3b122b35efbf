import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDigester } from '../../../../../formats/node/digest/digest.ts';
import { SharedRing } from '../../../../../formats/node/digest/shared-ring.ts';

const MIB = 1024 * 1024;

describe('SharedRing', () => {
  it('hashes what was written, in any chunking', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 * MIB }), { maxLength: 6 }), async (lengths) => {
        const ring = new SharedRing(createDigester(['md5', 'sha512']));
        const expected = { md5: createHash('md5'), sha512: createHash('sha512') };
        for (const [n, length] of lengths.entries()) {
          const chunk = Buffer.alloc(length, n + 1);
          await ring.write(chunk);
          // The chunk may be reused at once.
          expected.md5.update(chunk);
          expected.sha512.update(chunk);
          chunk.fill(0);
        }

        expect(await ring.digest()).toEqual({ md5: expected.md5.digest('hex'), sha512: expected.sha512.digest('hex') });
      }),
      { numRuns: 20 },
    );
  });

  it('hashes zeros without being given them, wherever they begin', async () => {
    const parts = [3, 0, 9 * MIB + 1, 4 * MIB, 5, 4 * MIB - 8, MIB, 1, MIB - 1, 2 * MIB, 300 * MIB];
    const ring = new SharedRing(createDigester(['sha512']));
    const expected = createHash('sha512');
    for (const [n, length] of parts.entries()) {
      if (n % 2 === 0) await ring.writeZeros(length);
      else await ring.write(Buffer.alloc(length, n));
      expected.update(Buffer.alloc(length, n % 2 === 0 ? 0 : n));
    }

    expect(await ring.digest()).toEqual({ sha512: expected.digest('hex') });
  });

  it('fails when the digester fails', async () => {
    const broken = {
      update: () => Promise.reject(new Error('a thread died')),
      zeros: () => Promise.reject(new Error('a thread died')),
      digest: async () => ({}),
      close: () => undefined,
    };
    const ring = new SharedRing(broken);
    await ring.write(Buffer.alloc(4 * MIB));

    await expect(ring.digest()).rejects.toThrow('a thread died');
  });
});
