/** Commands of python-openstackclient below `image` that Debian 12's release does not have yet. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { WireImage } from '../../support/image-client.ts';
import {
  type At,
  about,
  active,
  becomes,
  CONTENT,
  isGone,
  MD5,
  NOBODY,
  ok,
  queued,
  type Row,
  sharedWithAlt,
  staged,
  type World,
} from './client-rows.ts';

const NAMESPACES = '/v2/metadefs/namespaces';
const MOOD = { name: 'mood', title: 'Mood', type: 'string', enum: ['fine', 'not so'] };

/** A namespace of the administrator; its name stands where rows have an image's id. */
async function namespace(world: World): Promise<WireImage> {
  const id = `of::${randomUUID()}`;
  await ok(
    world.glimpse.api('admin', 'POST', NAMESPACES, {
      body: {
        namespace: id,
        visibility: 'public',
        properties: { [MOOD.name]: { title: MOOD.title, type: MOOD.type, enum: MOOD.enum } },
        objects: [{ name: 'person', description: 'who', properties: { age: { title: 'Age', type: 'integer' } } }],
        resource_type_associations: [{ name: 'OS::Glance::Image' }],
        tags: [{ name: 'kind' }, { name: 'sort' }],
      },
    }),
  );
  return { id, status: 'none' };
}

/** What the service has below the row's namespace must match. */
const hasBelow =
  (path: string, expected: object) =>
  async ({ glimpse, image }: At): Promise<void> => {
    expect(await (await ok(glimpse.api('admin', 'GET', `${NAMESPACES}/${image.id}${path}`))).json()).toMatchObject(
      expected,
    );
  };
const hasNothingAt =
  (path: string) =>
  async ({ glimpse, image }: At): Promise<void> => {
    expect((await glimpse.api('admin', 'GET', `${NAMESPACES}/${image.id}${path}`)).status).toBe(404);
  };

const IMPORT: readonly Row[] = [
  {
    command: 'image stage',
    says: 'a file',
    given: queued(),
    args: (at) => ['--file', at.file, at.image.id],
    after: async ({ images, image }) => {
      expect(await images('demo').show(image.id)).toMatchObject({ status: 'uploading', size: CONTENT.length });
    },
  },
  {
    command: 'image import',
    says: 'glance-direct of staged bytes, into two stores',
    given: staged(),
    args: (at) => [at.image.id, '--store', 'central', 'dcn1'],
    after: becomes({ status: 'active', checksum: MD5, stores: 'central,dcn1' }),
  },
  {
    command: 'image import',
    says: 'web-download into all stores, all or nothing',
    given: queued(),
    args: (at) => [at.image.id, '--method', 'web-download', '--uri', at.uri, '--all-stores', '--disallow-failure'],
    after: becomes({ status: 'active', checksum: MD5, stores: 'central,dcn0,dcn1' }),
  },
  {
    command: 'image import',
    says: 'copy-image to a further store, for admins',
    as: 'admin',
    given: active(),
    args: (at) => [at.image.id, '--method', 'copy-image', '--store', 'dcn0'],
    after: becomes({ status: 'active', stores: 'central,dcn0' }),
  },
  {
    command: 'image import',
    says: 'not into a store that does not exist, which the client does not tell',
    given: staged(),
    args: (at) => [at.image.id, '--store', 'attic'],
    after: async ({ images, image }) => {
      expect(await images('demo').show(image.id)).toMatchObject({ status: 'uploading' });
    },
  },
  { command: 'image import info', says: 'the methods', prints: ['glance-direct', 'web-download', 'copy-image'] },
  { command: 'image stores list', says: 'the stores', prints: ['central', 'dcn0', 'dcn1'] },
  {
    command: 'image stores list',
    says: 'with details, for admins',
    as: 'admin',
    args: () => ['--detail'],
    prints: ['central', 's3_store_large_object_size'],
  },
  {
    command: 'image member get',
    says: 'one member',
    given: sharedWithAlt('accepted'),
    args: (at) => [at.image.id, at.project.alt],
    prints: ['status accepted'],
  },
  {
    command: 'image task list',
    says: 'by type and status, for admins',
    as: 'admin',
    given: importedByTask,
    args: () => ['--type', 'import', '--status', 'success', '--limit', '100'],
    prints: [/import success/],
    after: async ({ image }, output) => expect(output).toContain(image['task']),
  },
  {
    command: 'image task show',
    says: 'one task',
    as: 'admin',
    given: importedByTask,
    args: ({ image }) => [String(image['task'])],
    prints: ['type import', 'status success'],
  },
  { command: 'image task show', says: 'not one that does not exist', as: 'admin', args: () => [NOBODY], fails: /404/ },
];

/** An import by the API of tasks that has ended; `task` is its id. */
async function importedByTask(world: World): Promise<WireImage> {
  const input = {
    import_from: world.uri,
    import_from_format: 'raw',
    image_properties: { name: 'by a task', disk_format: 'raw', container_format: 'bare' },
  };
  const made = await ok(world.glimpse.api('admin', 'POST', '/v2/tasks', { body: { type: 'import', input } }));
  const { id: task } = (await made.json()) as { id: string };
  const show = async () => (await (await world.glimpse.api('admin', 'GET', `/v2/tasks/${task}`)).json()) as object;
  await expect.poll(show).toMatchObject({ status: 'success' });
  return { id: task, status: 'none', task };
}

const METADEFS: readonly Row[] = [
  {
    command: 'image metadef namespace create',
    says: 'public and protected',
    as: 'admin',
    args: () => ['--display-name', 'Mine', '--description', 'd', '--public', '--protected', 'My::Own'],
    prints: ['namespace My::Own', 'visibility public'],
  },
  {
    command: 'image metadef namespace create',
    says: 'not by a member',
    args: () => ['Sly::One'],
    fails: /403/,
  },
  {
    command: 'image metadef namespace set',
    says: 'name and visibility',
    as: 'admin',
    given: namespace,
    args: (at) => ['--display-name', 'Other', '--private', at.image.id],
    after: hasBelow('', { display_name: 'Other', visibility: 'private' }),
  },
  {
    command: 'image metadef namespace unset',
    says: 'one tag',
    as: 'admin',
    given: namespace,
    args: (at) => ['--tag', 'kind', at.image.id],
    after: hasBelow('/tags', { tags: [{ name: 'sort' }] }),
  },
  {
    command: 'image metadef namespace unset',
    says: 'all tags',
    as: 'admin',
    given: namespace,
    args: (at) => ['--all-tags', at.image.id],
    after: hasBelow('/tags', { tags: [] }),
  },
  {
    command: 'image metadef namespace show',
    says: 'one',
    given: namespace,
    args: about,
    prints: ['visibility public'],
  },
  {
    command: 'image metadef namespace list',
    says: 'those for images',
    args: () => ['--resource-types', 'OS::Glance::Image'],
    prints: ['OS::Compute::Watchdog'],
  },
  {
    command: 'image metadef namespace delete',
    says: 'one',
    as: 'admin',
    given: namespace,
    args: about,
    after: hasNothingAt(''),
  },
  {
    command: 'image metadef object create',
    says: 'by name',
    as: 'admin',
    given: namespace,
    args: (at) => ['--namespace', at.image.id, 'thing'],
    after: hasBelow('/objects/thing', { name: 'thing' }),
  },
  {
    command: 'image metadef object list',
    says: 'of a namespace',
    given: namespace,
    args: about,
    prints: ['person'],
  },
  {
    command: 'image metadef object show',
    says: 'one',
    given: namespace,
    args: (at) => [at.image.id, 'person'],
    prints: ['name person'],
  },
  {
    command: 'image metadef object property show',
    says: 'one',
    given: namespace,
    args: (at) => [at.image.id, 'person', 'age'],
    prints: ['Age'],
  },
  {
    command: 'image metadef object update',
    says: 'its name',
    as: 'admin',
    given: namespace,
    args: (at) => ['--name', 'human', at.image.id, 'person'],
    after: hasBelow('/objects/human', { name: 'human' }),
  },
  {
    command: 'image metadef object delete',
    says: 'one',
    as: 'admin',
    given: namespace,
    args: (at) => [at.image.id, 'person'],
    after: hasNothingAt('/objects/person'),
  },
  {
    command: 'image metadef property create',
    says: 'with a schema',
    as: 'admin',
    given: namespace,
    args: (at) => [
      ...['--name', 'size', '--title', 'Size', '--type', 'integer', '--schema', '{"minimum": 1}'],
      at.image.id,
    ],
    after: hasBelow('/properties/size', { title: 'Size', type: 'integer', minimum: 1 }),
  },
  {
    command: 'image metadef property list',
    says: 'of a namespace',
    given: namespace,
    args: about,
    prints: ['mood'],
  },
  {
    command: 'image metadef property show',
    says: 'one',
    given: namespace,
    args: (at) => [at.image.id, 'mood'],
    prints: ['title Mood'],
  },
  {
    command: 'image metadef property set',
    says: 'its title',
    as: 'admin',
    given: namespace,
    args: (at) => ['--title', 'Temper', at.image.id, 'mood'],
    after: hasBelow('/properties/mood', { title: 'Temper', type: 'string', enum: MOOD.enum }),
  },
  {
    command: 'image metadef property delete',
    says: 'one',
    as: 'admin',
    given: namespace,
    args: (at) => [at.image.id, 'mood'],
    after: hasNothingAt('/properties/mood'),
  },
  {
    command: 'image metadef resource type list',
    says: 'all',
    prints: ['OS::Glance::Image', 'OS::Nova::Flavor'],
  },
  {
    command: 'image metadef resource type association create',
    says: 'with whose properties are meant',
    as: 'admin',
    given: namespace,
    args: (at) => ['--properties-target', 'image', at.image.id, 'OS::Cinder::Volume'],
    prints: ['OS::Cinder::Volume'],
  },
  {
    command: 'image metadef resource type association list',
    says: 'of a namespace',
    given: namespace,
    args: about,
    prints: ['OS::Glance::Image'],
  },
  {
    command: 'image metadef resource type association delete',
    says: 'one',
    as: 'admin',
    given: namespace,
    args: (at) => [at.image.id, 'OS::Glance::Image'],
    after: hasBelow('/resource_types', { resource_type_associations: [] }),
  },
];

/** Debian's release has them too; here they stand for it where there is little time. */
const KNOWN: readonly Row[] = [
  {
    command: 'image set',
    says: 'a property and a name',
    given: queued(),
    args: (at) => ['--name', 'renamed', '--property', 'os_distro=debian', at.image.id],
    after: becomes({ name: 'renamed', os_distro: 'debian' }),
  },
  { command: 'image show', says: 'one image', given: active(), args: about, prints: ['status active'] },
  { command: 'image delete', says: 'one image', given: active(), args: about, after: isGone },
];

export const CURRENT_CORE: readonly Row[] = [
  ...IMPORT.slice(0, 4),
  ...IMPORT.filter(({ command }) => command === 'image task show' || command === 'image stores list'),
  ...METADEFS.filter(({ command }) => /(namespace|property) (create|show)/.test(command)),
  ...KNOWN,
];
export const CURRENT_COMMANDS: readonly Row[] = [...IMPORT, ...METADEFS];
