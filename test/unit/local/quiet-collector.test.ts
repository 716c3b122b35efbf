import { expect, it } from 'vitest';
import { quietCollector } from '../../../local/quiet-collector.ts';

const MIB = 1024 * 1024;

function watched() {
  const process = { mib: 100, busy: 0, collections: 0 };
  const look = quietCollector({
    bytes: () => process.mib * MIB,
    busy: () => process.busy,
    async collect() {
      process.collections += 1;
      process.mib = Math.min(process.mib, 110);
    },
  });
  return { process, look };
}

it('collects once when a process that has grown is quiet', async () => {
  const { process, look } = watched();
  process.mib = 400;
  process.busy = 0.9;
  await look();
  expect(process.collections).toBe(0);

  process.busy = 0.1;
  for (let n = 0; n < 3; n++) await look();

  expect([process.collections, process.mib]).toEqual([1, 110]);
});

it('leaves a process alone that has not grown, or cannot shrink', async () => {
  const { process, look } = watched();
  process.mib = 110;
  await look();
  expect(process.collections).toBe(0);

  process.mib = 150;
  await look();
  process.mib = 120;
  await look();

  expect(process.collections).toBe(1);
});
