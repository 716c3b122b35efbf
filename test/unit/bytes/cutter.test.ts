import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createBufferBudget } from '../../../bytes/buffer-budget.ts';
import { Cutter } from '../../../bytes/cutter.ts';

const never = new AbortController().signal;

it('cuts any chunks into pieces of the sizes asked, every byte once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 })),
      fc.integer({ min: 1, max: 16 }),
      async (chunks, step) => {
        const pieces: Buffer[] = [];
        const tapped: Buffer[] = [];
        const budget = createBufferBudget(100);
        const cutter = new Cutter({
          sizeOf: (n) => step + n,
          budget,
          inFlight: 3,
          signal: never,
          store: async (n, bytes) => {
            await Promise.resolve();
            pieces[n] = Buffer.from(bytes);
          },
          tap: async (bytes) => {
            tapped.push(Buffer.from(bytes));
          },
        });

        for (const chunk of chunks) await cutter.write(chunk);
        const count = await cutter.finish();

        expect(count).toBe(pieces.length);
        expect(Buffer.concat(pieces).equals(Buffer.concat(chunks))).toBe(true);
        expect(Buffer.concat(tapped).equals(Buffer.concat(chunks))).toBe(true);
        for (const [n, piece] of pieces.slice(0, -1).entries()) expect(piece.length).toBe(step + n);
        expect(budget.usedBytes).toBe(0);
      },
    ),
  );
});

it('makes the writer wait while the lanes are full', async () => {
  const release: (() => void)[] = [];
  const cutter = new Cutter({
    sizeOf: () => 4,
    budget: createBufferBudget(1000),
    inFlight: 2,
    signal: never,
    store: () => new Promise((resolve) => release.push(resolve)),
  });
  let written = false;

  const writing = Promise.resolve(cutter.write(Buffer.alloc(9))).then(() => {
    written = true;
  });
  await new Promise(setImmediate);
  const before = written;
  release[0]?.();
  await writing;

  expect([before, written, release.length]).toEqual([false, true, 2]);
});

it('reports what store threw to the next write and to finish, and gives all buffers back', async () => {
  const budget = createBufferBudget(8);
  const cutter = new Cutter({
    sizeOf: () => 4,
    budget,
    inFlight: 2,
    signal: never,
    store: async () => {
      throw new Error('the store is full');
    },
  });
  await cutter.write(Buffer.alloc(5));
  await new Promise(setImmediate);

  expect(() => cutter.write(Buffer.alloc(1))).toThrow('the store is full');
  await expect(cutter.finish()).rejects.toThrow('the store is full');
  await cutter.abandon();
  expect(budget.usedBytes).toBe(0);
});

it('holds little for a stream that hardly sends, and a full piece once it does', async () => {
  const MIB = 1024 * 1024;
  const budget = createBufferBudget(64 * MIB);
  const pieces: Buffer[] = [];
  const cutter = new Cutter({
    sizeOf: () => 4 * MIB,
    budget,
    inFlight: 2,
    signal: never,
    store: async (n, bytes) => {
      pieces[n] = Buffer.from(bytes);
    },
  });
  const bytes = Buffer.from(Uint8Array.from({ length: 9 * MIB }, (_, at) => at % 251));

  await cutter.write(bytes.subarray(0, 1));
  const slow = budget.usedBytes;
  await cutter.write(bytes.subarray(1, MIB));
  const faster = budget.usedBytes;
  await cutter.write(bytes.subarray(MIB));
  await cutter.finish();

  expect([slow, faster, budget.usedBytes]).toEqual([256 * 1024, 4 * MIB, 0]);
  expect(pieces.map(({ length }) => length)).toEqual([4 * MIB, 4 * MIB, MIB]);
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
});
