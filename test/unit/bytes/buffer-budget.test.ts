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

it('leaves room for other projects, whatever one of them holds', async () => {
  const budget = createBufferBudget(30);
  const greedy = [budget.share('a'), budget.share('a'), budget.share('a')];
  const held = await Promise.all(greedy.slice(0, 2).map((share) => share.take(10)));
  let third = false;
  const waiting = greedy[2]!.take(10).then(() => {
    third = true;
  });

  const other = await budget.share('b').take(10);

  expect([other.length, third, greedy[0]!.isInTheWay()]).toEqual([10, false, true]);
  greedy[0]!.give(held[0]!);
  await waiting;
});

it('serves the project that holds least first, and within it the stream that holds least', async () => {
  const budget = createBufferBudget(60);
  const [a1, a2, b] = [budget.share('a'), budget.share('a'), budget.share('b')];
  const held = [await a1.take(30), await a2.take(10), await b.take(20)];
  const order: string[] = [];
  const waits = [
    a1.take(10).then(() => order.push('a1')),
    a2.take(10).then(() => order.push('a2')),
    b.take(10).then(() => order.push('b')),
  ];

  b.give(held[2]!);
  await new Promise(setImmediate);
  expect(order[0]).toBe('b');
  a1.give(held[0]!);
  await Promise.all(waits);

  expect(new Set(order)).toEqual(new Set(['a1', 'a2', 'b']));
});

it('tells a stream that gets nothing in time to come back, and lets one under way wait', async () => {
  const budget = createBufferBudget(30);
  const [first, late] = [budget.share('a', { waitMs: 20 }), budget.share('b', { waitMs: 20 })];
  const held = [await first.take(5), await first.take(5)];
  const rest = await budget.take(20);

  const patient = first.take(10);
  await expect(late.take(10)).rejects.toMatchObject({ kind: 'Busy', retryAfterSeconds: 30 });
  budget.give(rest);
  expect((await patient).length).toBe(10);

  expect(held).toHaveLength(2);
});

it('is in nobody’s way while nobody waits for what it holds', async () => {
  const budget = createBufferBudget(20);
  const share = budget.share('a');
  expect(share.isInTheWay()).toBe(false);

  const held = await share.take(10);
  const rest = await budget.take(10);
  expect(share.isInTheWay()).toBe(false);
  const waiting = budget.share('b').take(10);
  expect(share.isInTheWay()).toBe(true);

  share.give(held);
  budget.give(await waiting);
  expect([share.isInTheWay(), rest.length]).toEqual([false, 10]);
});
