/** Names that an image shows by itself are no properties, whichever way they come. */
import { describe, expect, test } from 'vitest';
import { imageView } from '../../../../api/images/view.ts';
import { runPlugin } from '../../../../bytes/imports/plugins.ts';
import { createImage } from '../../../../core/images/create.ts';
import { patchImage } from '../../../../core/images/patch.ts';
import { createTask } from '../../../../core/imports/create-task.ts';
import { takeDrop } from '../../../../core/imports/take-drop.ts';
import { callerWith } from '../../../support/caller.ts';
import { anImage } from '../../../support/images.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';

const OWNER = callerWith({ projectId: 'demo' });
const NAMES = [
  ...['direct_url', 'locations', 'self', 'file', 'schema', 'stores', 'location', 'deleted', 'deleted_at'],
  ...['os_glance_import_task', 'os_glance_failed_import', 'os_glancer', 'status', 'checksum', 'size', 'virtual_size'],
  ...['os_hash_algo', 'os_hash_value', 'created_at', 'updated_at', 'id', 'owner', 'visibility', 'tags', 'os_hidden'],
];

describe.each([true, false])('with enforce_new_defaults %s', (mode) => {
  const config = { enforce_new_defaults: mode };

  describe.each(NAMES)('%s', (name) => {
    test('is refused of a new image and leaves none', async () => {
      const deps = memoryDeps(config);
      const id = deps.newId();

      await expect(createImage(deps, OWNER, { id, properties: { [name]: 'x' }, computed: [] })).rejects.toMatchObject({
        kind: 'Forbidden',
        message: expect.stringContaining(name),
      });
      expect(await deps.images.get(id)).toBeUndefined();
    });

    test('is refused of a patch', async () => {
      const deps = memoryDeps(config);
      const image = anImage();
      await deps.images.create(image);

      await expect(
        patchImage(deps, OWNER, image.id, [{ kind: 'property', op: 'add', strict: false, name, value: 'x' }]),
      ).rejects.toMatchObject({ kind: 'Forbidden', message: expect.stringContaining(name) });
    });

    test('is refused of a task', async () => {
      await expect(
        createTask(memoryDeps(config), OWNER, {
          input: {},
          importFrom: 'http://example.org/i',
          format: 'raw',
          image: { owner: 'demo', properties: { [name]: 'x' }, computed: [] },
        }),
      ).rejects.toMatchObject({ kind: 'Forbidden', message: expect.stringContaining(name) });
    });

    test('sets a dropped file aside', async () => {
      const deps = memoryDeps(config);
      deps.projects.set('demo', { id: 'demo', name: 'demo', domainId: 'default', enabled: true });
      const metadata = { [`property-${name}`]: 'http://evil/' };
      deps.dropped.set('drop/demo/x.raw', { bucket: 'staging', etag: 'e', size: 1, metadata });

      expect(await takeDrop(deps, { key: 'drop/demo/x.raw', sequencer: '1' })).toMatchObject({ kind: 'quarantined' });
      expect(deps.setAside.get('drop/demo/x.raw')).toContain(name);
      expect(await deps.duties.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    });

    test('is left out of what a plugin injects', async () => {
      const inject = { [name]: 'x', injected: 'y' };
      const deps = memoryDeps({ ...config, inject_metadata_properties: { inject } });
      const image = anImage({ lock: 'task' });
      await deps.images.create(image);
      const task = { id: 'task', imageId: image.id, import: { roles: [] } };

      // The plugin reads these three of a task, and no place of bytes.
      await runPlugin(
        { ...deps, places: undefined } as never,
        task as never,
        'inject_image_metadata',
        undefined as never,
      );

      expect((await deps.images.get(image.id))?.properties).toEqual({ injected: 'y' });
    });
  });
});

test('a property of a record under such a name is not shown', () => {
  const properties = { direct_url: 'http://evil/', os_glance_import_task: 'x', stores: 'x', locations: 'x', mine: 'y' };
  const { config } = memoryDeps();

  const view = imageView(anImage({ properties }), { config, isAdmin: true });

  expect(view).toMatchObject({ mine: 'y' });
  for (const name of ['direct_url', 'os_glance_import_task', 'stores', 'locations'])
    expect(view).not.toHaveProperty(name);
});
