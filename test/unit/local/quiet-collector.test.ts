import { expect, it } from 'vitest';
import { quietCollector } from '../../../local/quiet-collector.ts';

const MIB = 1024 * 1024;

function watched() {
  const process = { mib: 100, busy: 0, collections: 0, held: 110 };
  const look = quietCollector({
    bytes: () => process.mib * MIB,
    busy: () => process.busy,
    async collect() {
      process.collections += 1;
      process.mib = Math.min(process.mib, process.held);
    },
  });
  return { process, look };
}

it('collects when a process that has grown is quiet, twice again for what was still held, and then no more', async () => {
  const { process, look } = watched();
  process.mib = 400;
  process.busy = 0.9;
  await look();
  expect(process.collections).toBe(0);

  process.busy = 0.1;
  await look();
  expect([process.collections, process.mib]).toEqual([1, 110]);

  for (let n = 0; n < 20; n++) await look();
  expect(process.collections).toBe(3);
});

it('leaves a process alone that has not grown', async () => {
  const { process, look } = watched();
  process.mib = 110;

  for (let n = 0; n < 20; n++) await look();

  expect(process.collections).toBe(0);
});

it('begins anew when a process grows again', async () => {
  const { process, look } = watched();
  process.mib = 300;
  for (let n = 0; n < 20; n++) await look();
  process.mib = 200;

  for (let n = 0; n < 20; n++) await look();

  expect(process.collections).toBe(6);
});

it('collects what quiet work held until its end', async () => {
  const { process, look } = watched();
  process.mib = 300;
  process.held = 290;
  process.busy = 0.1;
  for (let n = 0; n < 20; n++) await look();
  expect(process.mib).toBe(290);

  process.held = 110;
  process.busy = 0.01;
  for (let n = 0; n < 4; n++) await look();

  expect(process.mib).toBe(110);
  const { collections } = process;
  for (let n = 0; n < 20; n++) await look();
  expect(process.collections).toBeLessThanOrEqual(collections + 1);
});
