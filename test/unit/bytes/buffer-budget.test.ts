import { expect, it } from 'vitest';
import { createBufferBudget } from '../../../bytes/buffer-budget.ts';

it('hands out up to the budget and serves waiters in their order', async () => {
  const budget = createBufferBudget(20);
  const first = await budget.take(10);
  const second = await budget.take(10);
  const order: string[] = [];
  const third = budget.take(10).then(() => order.push('third'));
  const fourth = budget.take(5).then(() => order.push('fourth'));
  await new Promise(setImmediate);
  expect([order, budget.usedBytes]).toEqual([[], 20]);

  budget.give(first);
  budget.give(second);
  await Promise.all([third, fourth]);

  expect(order).toEqual(['third', 'fourth']);
  expect(budget.usedBytes).toBe(15);
});

it('reuses buffers of one size, in shared memory, while somebody is at work', async () => {
  const budget = createBufferBudget(20);
  await budget.take(10);
  const first = await budget.take(10);
  budget.give(first);

  expect(await budget.take(10)).toBe(first);
  expect(first.buffer).toBeInstanceOf(SharedArrayBuffer);
});

it('keeps nothing when nobody is at work', async () => {
  const budget = createBufferBudget(20);
  const first = await budget.take(10);
  budget.give(first);

  expect(await budget.take(10)).not.toBe(first);
});

it('asks for a collection when nobody is at work any more, and it is worth it', async () => {
  const MIB = 1024 * 1024;
  let collections = 0;
  const budget = createBufferBudget(64 * MIB, () => collections++);
  budget.give(await budget.take(16 * MIB));
  expect(collections).toBe(0);

  const both = [await budget.take(16 * MIB), await budget.take(16 * MIB)];
  for (const buffer of both) budget.give(buffer);

  expect(collections).toBe(1);
});

it('grants a request above the whole budget when nothing else is out', async () => {
  const budget = createBufferBudget(20);
  const small = await budget.take(1);
  const large = budget.take(100);
  budget.give(small);

  expect((await large).length).toBe(100);
});

it('lets a waiter go, and those behind it pass', async () => {
  const budget = createBufferBudget(20);
  await budget.take(15);
  const leaving = new AbortController();
  const blocked = budget.take(20, leaving.signal);
  const behind = budget.take(5);

  leaving.abort(new Error('the client went'));

  await expect(blocked).rejects.toThrow('the client went');
  expect((await behind).length).toBe(5);
});
