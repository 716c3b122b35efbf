/** An import whose stores, steps or image go wrong under it: the workflow as deployed over records and stores in memory. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BackendUnavailable } from '../../../core/errors.ts';
import type { Image } from '../../../core/images/image.ts';
import { converted } from '../../support/converted.ts';
import { anImage } from '../../support/images.ts';
import { expectClean, expectImported, expectReverted } from '../../support/memory/import-ends.ts';
import { type ImportRig, importRig } from '../../support/memory/imports.ts';
import type { MemoryStore } from '../../support/memory/store.ts';
import { rawDisk } from '../../support/raw-disk.ts';

const URI = 'https://images.example.org/disk.qcow2.gz';
const RAW = rawDisk(2 * 1024 * 1024);
const QCOW2 = await converted(RAW, { target: 'qcow2', compression: 'zlib' });

/** Every write to a store fails, as long as it lasts. */
function breakWrites(store: MemoryStore): void {
  store.fault = ({ method }) => {
    if (method !== 'headObject' && method !== 'removePrefix')
      throw new BackendUnavailable(`Store ${store.id} is not available`);
  };
}

describe('a store that fails', () => {
  it('ends an import that must reach all stores, and the copies of the others go', async () => {
    const rig = importRig();
    const image = await rig.staged(RAW, { diskFormat: 'raw' });
    breakWrites(rig.stores.edge);
    const taskId = await rig.task(image, { name: 'glance-direct' }, { stores: ['central', 'edge'] });

    await rig.run(taskId);

    await expectReverted(rig, image, taskId, 'Store edge failed: Store edge is not available');
    expect((await rig.image(image.id)).failedImport).toEqual(['edge']);
  });

  it('is named, and the image active with the others, when not all must succeed', async () => {
    const rig = importRig();
    const { id } = await rig.staged(RAW, { diskFormat: 'raw' });
    breakWrites(rig.stores.edge);
    const options = { stores: ['central', 'edge'], allStoresMustSucceed: false };

    expect(await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }, options))).toMatchObject({
      status: 'SUCCEEDED',
    });

    expect(await expectImported(rig, id, RAW, ['central'])).toMatchObject({ failedImport: ['edge'] });
    const [task] = await rig.deps.tasks.listByImage(id);
    expect(task?.message).toMatch(/^Copied \d+ MiB; Store edge failed: Store edge is not available$/);
    expectClean(rig);
  });

  it('ends the import when it was the last one', async () => {
    const rig = importRig();
    const image = await rig.staged(RAW, { diskFormat: 'raw' });
    breakWrites(rig.stores.central);
    const taskId = await rig.task(image, { name: 'glance-direct' }, { allStoresMustSucceed: false });

    await rig.run(taskId);

    await expectReverted(
      rig,
      image,
      taskId,
      `None of the uploads finished: no store of central holds image ${image.id}; Store central failed: Store central is not available`,
    );
  });

  it('and cannot even be swept is swept later', async () => {
    const rig = importRig();
    const image = await rig.staged(RAW, { diskFormat: 'raw' });
    rig.stores.edge.fault = () => {
      throw new BackendUnavailable('Store edge is not available');
    };
    const taskId = await rig.task(
      image,
      { name: 'glance-direct' },
      { stores: ['central', 'edge'], allStoresMustSucceed: false },
    );

    await rig.run(taskId);

    const due = await rig.deps.duties.due(Number.MAX_SAFE_INTEGER, 100);
    expect(due).toContainEqual(
      expect.objectContaining({
        kind: 'retired',
        writeId: taskId,
        places: [expect.objectContaining({ place: 'edge' })],
      }),
    );
    expect((await rig.image(image.id)).status).toBe('active');
  });
});

/** An import with every kind of step: a download that is unpacked, converted and goes to two stores. */
const EVERYTHING = { image_import_plugins: ['image_decompression', 'image_conversion'] };
const STEPS = ['begin', 'fetch', 'inspect', 'plugin', 'plan', 'render', 'gather', 'hash', 'copy', 'finish', 'clean'];

async function everything(around?: ImportRig['around']): Promise<{ rig: ImportRig; image: Image; taskId: string }> {
  const rig = importRig(EVERYTHING);
  const image = anImage({ diskFormat: 'qcow2', containerFormat: 'bare' });
  await rig.deps.images.create(image);
  rig.web.set(URI, { body: gzipSync(QCOW2) });
  const taskId = await rig.task(image, { name: 'web-download', uri: URI }, { stores: ['central', 'edge'] });
  rig.around = around;
  return { rig, image, taskId };
}

describe('what may happen to any step', () => {
  it.each(STEPS)('%s fails once, before its work', async (step) => {
    const { rig, image, taskId } = await everything(async (call, run) => {
      if (call.step === step && call.attempt === 1) throw new BackendUnavailable('throttled');
      return run();
    });

    expect(await rig.run(taskId)).toMatchObject({ status: 'SUCCEEDED' });

    await expectImported(rig, image.id, RAW, ['central', 'edge']);
    expectClean(rig);
  });

  it.each(STEPS)('the answer of %s is lost, so that it runs again', async (step) => {
    const { rig, image, taskId } = await everything(async (call, run) => {
      const answer = await run();
      if (call.step === step && call.attempt === 1) throw new BackendUnavailable('the answer was lost');
      return answer;
    });

    expect(await rig.run(taskId)).toMatchObject({ status: 'SUCCEEDED' });

    await expectImported(rig, image.id, RAW, ['central', 'edge']);
    expectClean(rig);
  });

  it.each(['inspect', 'plan', 'render', 'gather', 'hash', 'copy'])('%s runs twice at once', async (step) => {
    const { rig, image, taskId } = await everything(async (call, run) => {
      if (call.step !== step) return run();
      const [answer] = await Promise.all([run(), run()]);
      return answer;
    });

    expect(await rig.run(taskId)).toMatchObject({ status: 'SUCCEEDED' });

    await expectImported(rig, image.id, RAW, ['central', 'edge']);
    expectClean(rig);
  });

  it.each(STEPS.filter((step) => step !== 'clean'))('%s never works: the import is reverted', async (step) => {
    const { rig, image, taskId } = await everything(async (call, run) => {
      if (call.step === step) throw new BackendUnavailable('the platform is away');
      return run();
    });

    expect(await rig.run(taskId)).toMatchObject({ status: 'FAILED' });

    // A distributed map hides what its children failed of.
    const cause = step === 'render' ? 'failure threshold' : 'the platform is away';
    await expectReverted(rig, image, taskId, cause);
  });

  it.each(['fetch', 'plugin', 'render', 'gather', 'copy'])(
    'the image is deleted while %s writes: nothing stays',
    async (step) => {
      let working = '';
      const { rig, image, taskId } = await everything(async (call, run) => {
        working = call.step;
        return run();
      });
      const gone = async () => {
        const held = await rig.deps.images.get(image.id);
        if (held !== undefined) await rig.deps.images.delete(image.id, { revision: held.revision });
      };
      const writes = ['putObject', 'putPart', 'copyObject', 'copyPart'];
      for (const store of [rig.staging, ...Object.values(rig.stores)]) {
        store.fault = async ({ method }) => {
          if (working === step && writes.includes(method)) await gone();
        };
      }

      expect(await rig.run(taskId)).toMatchObject({ status: 'FAILED' });

      expect(await rig.deps.images.get(image.id)).toBeUndefined();
      expect(await rig.deps.tasks.get(taskId)).toMatchObject({ status: 'failure' });
      for (const store of Object.values(rig.stores)) expect([...store.objects.keys()]).toEqual([]);
      expectClean(rig);
    },
  );

  it('an execution that is driven again finds everything done', async () => {
    const { rig, image, taskId } = await everything();
    await rig.run(taskId);

    const again = await rig.run(taskId);

    expect(again.steps).toEqual(['begin', 'clean']);
    await expectImported(rig, image.id, RAW, ['central', 'edge']);
  });

  it('reads of the staging bucket that break off go on', async () => {
    const { rig, image, taskId } = await everything();
    rig.staging.breaks.push(100_000, 10, 1);

    await rig.run(taskId);

    await expectImported(rig, image.id, RAW, ['central', 'edge']);
  });
});
