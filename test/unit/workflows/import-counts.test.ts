/** What imports ask of AWS, by their size (docs/operations/capacity.md): played with one batch and with two, of which the larger ones are so many. Time stands still: reports of progress come on top. */
import { expect, it } from 'vitest';
import { batchCount, slicesPerBatch } from '../../../bytes/render/import-plan.ts';
import { importRig } from '../../support/memory/imports.ts';
import { rawDisk } from '../../support/raw-disk.ts';

const MIB = 1024 * 1024;
const SLICE = 16 * MIB;

interface Counts {
  readonly s3: number;
  readonly records: number;
  /** Entered by the import's own execution; each batch is one more, of a child. */
  readonly states: number;
}

/** A raw image that is packed and copied to one store of the same service; each slice has data. */
async function play(slices: number): Promise<Counts> {
  const rig = importRig();
  const { id } = await rig.staged(rawDisk(slices * SLICE), { diskFormat: 'raw' });
  const taskId = await rig.task(await rig.image(id), { name: 'glance-direct' });
  const stores = [rig.staging, rig.stores.central];
  const before = stores.reduce((sum, { calls }) => sum + calls.length, 0);
  let records = 0;
  const counted = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...given: unknown[]) => {
          records += 1;
          return method.apply(target, given) as unknown;
        };
      },
    });
  const { images, tasks, duties } = rig.deps;
  Object.assign(rig.deps, { images: counted(images), tasks: counted(tasks), duties: counted(duties) });
  const { status, states } = await rig.run(taskId);
  expect(status).toBe('SUCCEEDED');
  return { s3: stores.reduce((sum, { calls }) => sum + calls.length, 0) - before, records, states: states.length };
}

const one = await play(8);
const two = await play(16);

/** The batches and slices of a plan of so many GiB, and what follows from them. */
function countsOf(gib: number): Counts & { readonly batches: number } {
  const slices = (gib * 1024) / 16;
  const plan = { runs: [[0, slices] as const], slicesPerBatch: slicesPerBatch(slices) };
  const batches = batchCount(plan);
  const times = (kind: keyof Counts) => one[kind] + (two[kind] - one[kind]) * (batches - 1);
  return { batches, s3: times('s3'), records: times('records'), states: times('states') };
}

it.each([
  [1, { batches: 8, s3: 230, records: 120, states: 16 }],
  [31, { batches: 248, s3: 6_710, records: 2_040, states: 16 }],
  [125, { batches: 1_000, s3: 27_014, records: 8_056, states: 16 }],
])('%i GiB', (gib, expected) => {
  expect(countsOf(gib)).toEqual(expected);
});
