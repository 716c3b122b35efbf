import { expect, test } from 'vitest';
import { StaleRevision } from '../../../../core/errors.ts';
import { revised } from '../../../../core/images/revise.ts';

/** A record whose write must meet the revision that was read. */
function record() {
  let revision = 0;
  let losses = 0;
  return {
    read: () => Promise.resolve(revision),
    write: async (expected: number) => {
      await Promise.resolve();
      if (expected !== revision) {
        losses += 1;
        throw new StaleRevision(`at ${revision}`);
      }
      revision += 1;
    },
    interfere: () => {
      revision += 1;
    },
    get revision() {
      return revision;
    },
    get losses() {
      return losses;
    },
  };
}

test('writers of one image in one process take turns: nobody loses, first come first served', async () => {
  const image = record();
  const order: number[] = [];

  await Promise.all(
    Array.from({ length: 16 }, (_, n) =>
      revised('one', async () => {
        await image.write(await image.read());
        order.push(n);
      }),
    ),
  );

  expect(image.revision).toBe(16);
  expect(image.losses).toBe(0);
  expect(order).toEqual(Array.from({ length: 16 }, (_, n) => n));
});

test('a loss against another process is tried again with a new read', async () => {
  const image = record();
  let others = 3;

  await revised('two', async () => {
    const seen = await image.read();
    if (others-- > 0) image.interfere();
    await image.write(seen);
  });

  expect(image.losses).toBe(3);
  expect(image.revision).toBe(4);
});

test('images do not wait for each other, and a failure holds nobody up', async () => {
  let release = (): void => undefined;
  const held = revised('three', () => new Promise<void>((resolve) => (release = resolve)));
  const failing = revised('three', () => Promise.reject(new Error('no')));
  const next = revised('three', () => Promise.resolve('next'));

  await expect(revised('four', () => Promise.resolve('free'))).resolves.toBe('free');
  release();
  await held;
  await expect(failing).rejects.toThrow('no');
  await expect(next).resolves.toBe('next');
});
