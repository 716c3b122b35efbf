/** Every command of python-glanceclient that speaks to the image API; md-* and cache-* have tables of their own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { s3Of, type WireImage } from '../../support/image-client.ts';
import {
  type At,
  about,
  active,
  becomes,
  CONTENT,
  deactivated,
  isGone,
  MD5,
  makes,
  NOBODY,
  ok,
  queued,
  type Row,
  sharedWithAlt,
  staged,
  type World,
} from './client-rows.ts';

const RAW = ['--disk-format', 'raw', '--container-format', 'bare'] as const;
const STORES = 'central,dcn0,dcn1';
const noImage = (): string[] => [NOBODY];
const locationOf = ({ id }: WireImage): string => `s3://glimpse-store-central/brought/${id}`;

/** A queued image, and beside the service's own objects one that can be its location. */
async function brought(world: World): Promise<WireImage> {
  const record = await queued()(world);
  const Key = `brought/${record.id}`;
  await s3Of(world.glimpse).send(new PutObjectCommand({ Bucket: 'glimpse-store-central', Key, Body: CONTENT }));
  return record;
}

/** An active image with two locations, the second one brought. */
async function located(world: World): Promise<WireImage> {
  const record = await brought(world);
  expect(await world.images('demo').put(record.id, 'file', CONTENT)).toBe(204);
  await ok(
    world.glimpse.api('admin', 'PATCH', `/v2/images/${record.id}`, {
      headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' },
      body: [{ op: 'add', path: '/locations/-', value: { url: locationOf(record), metadata: {} } }],
    }),
  );
  return record;
}

async function imported(world: World): Promise<WireImage> {
  const record = await staged()(world);
  expect((await world.images('demo').import(record.id, { method: { name: 'glance-direct' } })).status).toBe(202);
  return world.images('demo').settled(record.id);
}

const TASK_INPUT = ({ uri }: World): string =>
  JSON.stringify({
    import_from: uri,
    import_from_format: 'raw',
    image_properties: { name: 'by-task', disk_format: 'raw', container_format: 'bare' },
  });

async function madeTask(world: World): Promise<WireImage> {
  const body = { type: 'import', input: JSON.parse(TASK_INPUT(world)) as unknown };
  return (await ok(world.glimpse.api('admin', 'POST', '/v2/tasks', { body }))).json() as Promise<WireImage>;
}

const memberStatus =
  (status: string | undefined) =>
  async ({ glimpse, image: { id } }: At): Promise<void> => {
    const answer = await glimpse.api('demo', 'GET', `/v2/images/${id}/members`);
    const { members } = (await answer.json()) as { members: { status: string }[] };
    expect(members[0]?.status).toBe(status);
  };

const CREATE: readonly Row[] = [
  {
    command: 'image-create',
    says: 'a record only',
    args: () => ['--name', 'record', '--id', '11111111-2222-4333-8444-555555555555'],
    prints: ['id 11111111-2222-4333-8444-555555555555', 'status queued', 'visibility shared'],
  },
  {
    command: 'image-create',
    says: 'with data, a store, properties, tags and limits',
    args: ({ file }) => [
      ...['--name', 'full', ...RAW, '--file', file, '--store', 'dcn0', '--property', 'hw_disk_bus=scsi'],
      ...['--property', 'päth=ä/b c', '--os-distro', 'debian', '--tags', 'blue', 'green', '--min-disk', '1'],
      ...['--min-ram', '64', '--protected', 'True', '--hidden', 'True', '--visibility', 'private'],
    ],
    prints: ['status active', `checksum ${MD5}`, 'stores dcn0', 'hw_disk_bus scsi', 'päth ä/b c', '["blue", "green"]'],
    after: makes({ os_distro: 'debian', min_disk: 1, min_ram: 64, protected: true, os_hidden: true, size: 1200 }),
  },
  {
    command: 'image-create',
    says: 'public, for the administrator and for another owner',
    as: 'admin',
    args: ({ project }) => ['--name', 'public', '--visibility', 'public', '--owner', project.alt],
    prints: ['visibility public', 'status queued'],
  },
  {
    command: 'image-create',
    says: 'not public for a member',
    args: () => ['--visibility', 'public'],
    fails: 'HTTP 403 Forbidden',
  },
  {
    command: 'image-create',
    says: 'not twice with one id',
    given: queued(),
    args: (at) => ['--id', at.image.id],
    fails: /HTTP 409 Conflict: .*[Ii]mage/,
  },
  {
    command: 'image-create',
    says: 'not with a property of the import',
    args: () => ['--property', 'os_glance_import_task=x'],
    fails: /HTTP 403 Forbidden: .*os_glance/,
  },
  {
    command: 'image-create',
    says: 'not with a tag of 300 characters',
    args: () => ['--tags', 'x'.repeat(300)],
    fails: /255|tags/,
  },
  {
    command: 'image-create',
    says: 'not for a reader',
    as: 'reader',
    args: () => ['--name', 'x'],
    fails: 'HTTP 403 Forbidden: You are not authorized to complete add_image action.',
  },
  {
    command: 'image-create-via-import',
    says: 'glance-direct into all stores',
    args: ({ file }) => [...RAW, '--import-method', 'glance-direct', '--file', file, '--all-stores', 'True'],
    after: makes({ status: 'active', stores: STORES, checksum: MD5 }),
  },
  {
    command: 'image-create-via-import',
    says: 'a file without a method is glance-direct',
    args: ({ file }) => [...RAW, '--file', file, '--store', 'dcn1'],
    after: makes({ status: 'active', stores: 'dcn1', checksum: MD5 }),
  },
  {
    command: 'image-create-via-import',
    says: 'web-download into two stores, all or nothing',
    args: ({ uri }) => [
      ...[...RAW, '--import-method', 'web-download', '--uri', uri],
      ...['--stores', 'central,dcn1', '--allow-failure', 'False'],
    ],
    after: makes({ status: 'active', stores: 'central,dcn1', checksum: MD5 }),
  },
  {
    command: 'image-create-via-import',
    says: 'a record only',
    args: () => ['--name', 'later', ...RAW],
    prints: ['status queued'],
  },
  {
    command: 'image-create-via-import',
    says: 'refuses an address that is no URL',
    args: () => [...RAW, '--import-method', 'web-download', '--uri', 'ftp://example.org/x'],
    fails: /HTTP 400 Bad Request: .*(URI|example\.org)/,
  },
];

const DATA: readonly Row[] = [
  {
    command: 'image-upload',
    says: 'a file, to a store',
    given: queued(),
    args: (at) => ['--file', at.file, '--store', 'dcn1', '--size', String(CONTENT.length), at.image.id],
    after: becomes({ status: 'active', stores: 'dcn1', checksum: MD5 }),
  },
  {
    command: 'image-upload',
    says: 'not over existing data',
    given: active(),
    args: (at) => ['--file', at.file, at.image.id],
    fails: /HTTP 409 Conflict: /,
  },
  {
    command: 'image-upload',
    says: 'not what the format denies',
    given: queued({ disk_format: 'qcow2' }),
    args: (at) => ['--file', at.file, at.image.id],
    fails: /HTTP 415/,
  },
  {
    command: 'image-stage',
    says: 'a file',
    given: queued(),
    args: (at) => ['--file', at.file, '--size', String(CONTENT.length), at.image.id],
    after: async (at) => expect(await at.images('demo').show(at.image.id)).toMatchObject({ status: 'uploading' }),
  },
  {
    command: 'image-download',
    says: 'a file that verifies',
    given: active(),
    args: (at) => ['--file', join(at.dir, at.image.id), at.image.id],
    after: async (at) => expect(await readFile(join(at.dir, at.image.id))).toEqual(CONTENT),
  },
  {
    command: 'image-download',
    says: 'to standard output',
    given: active(),
    args: about,
    after: async (_, output) => expect(output).toBe(CONTENT.toString()),
  },
  {
    command: 'image-download',
    says: 'of an image without data',
    given: queued(),
    args: about,
    fails: /Image \S+ has no data\./,
  },
  {
    command: 'image-download',
    says: 'of a deactivated image',
    given: deactivated,
    args: about,
    fails: /Unable to download image .*HTTP 403 Forbidden: The requested image has been deactivated/,
  },
  {
    command: 'image-download',
    says: 'of an image that does not exist',
    args: noImage,
    fails: /Unable to download image .*HTTP 404 Not Found/,
  },
  {
    command: 'image-import',
    says: 'glance-direct of staged bytes',
    given: staged(),
    args: (at) => ['--import-method', 'glance-direct', '--stores', 'central,dcn0', at.image.id],
    after: becomes({ status: 'active', stores: 'central,dcn0', checksum: MD5 }),
  },
  {
    command: 'image-import',
    says: 'web-download, one store by header',
    given: queued(),
    args: (at) => ['--import-method', 'web-download', '--uri', at.uri, '--store', 'dcn0', at.image.id],
    after: becomes({ status: 'active', stores: 'dcn0', checksum: MD5 }),
  },
  {
    command: 'image-import',
    says: 'copy-image into all stores',
    as: 'admin',
    given: active(),
    args: (at) => ['--import-method', 'copy-image', '--all-stores', 'True', at.image.id],
    after: becomes({ status: 'active', stores: STORES, os_glance_failed_import: '' }),
  },
  {
    command: 'image-import',
    says: 'copy-image is not for a stranger',
    as: 'alt',
    given: active({ visibility: 'community' }),
    args: (at) => ['--import-method', 'copy-image', '--all-stores', 'True', at.image.id],
    fails: 'HTTP 403 Forbidden',
  },
  {
    command: 'image-import',
    says: 'not into a store that does not exist',
    given: staged(),
    args: (at) => ['--store', 'nowhere', at.image.id],
    fails: "Store 'nowhere' is not valid for this cloud.",
  },
  {
    command: 'image-tasks',
    says: 'the task of an import',
    given: imported,
    args: about,
    prints: ['success'],
  },
  { command: 'image-tasks', says: 'of an image that does not exist', args: noImage, fails: /Image \S+ not found\./ },
  { command: 'import-info', says: 'the methods', prints: [/glance- ?direct/, 'web-download', 'copy-image'] },
];

const IMAGES: readonly Row[] = [
  { command: 'image-list', says: 'what one sees', given: active({ name: 'seen' }), prints: ['seen'] },
  {
    command: 'image-list',
    says: 'by property, tag, owner, visibility, checksum and hash, sorted, in pages',
    given: active({ name: 'found', colour: 'blue', tags: ['found-tag'], visibility: 'private' }),
    args: (at) => [
      ...['--property-filter', 'colour=blue', '--tag', 'found-tag', '--owner', at.project.demo],
      ...['--visibility', 'private', '--checksum', MD5, '--hash', String(at.image['os_hash_value'])],
      ...['--sort', 'name:desc,created_at:asc', '--limit', '5', '--page-size', '1', '--include-stores'],
    ],
    prints: [/found central/],
  },
  {
    command: 'image-list',
    says: 'by sort keys and directions',
    given: queued(),
    args: () => ['--sort-key', 'status', '--sort-key', 'size', '--sort-dir', 'desc', '--limit', '3'],
    prints: ['ID Name'],
  },
  {
    command: 'image-list',
    says: 'hidden ones on request',
    given: queued({ name: 'out-of-sight', os_hidden: true }),
    args: () => ['--hidden', 'True'],
    prints: ['out-of-sight'],
  },
  {
    command: 'image-list',
    says: 'shared ones once accepted',
    as: 'alt',
    given: sharedWithAlt('accepted'),
    args: () => ['--visibility', 'shared', '--member-status', 'accepted'],
    after: async (at, output) => expect(output).toContain(at.image.id),
  },
  {
    command: 'image-list',
    says: 'refuses an unknown visibility',
    args: () => ['--visibility', 'secret'],
    fails: /visibility|HTTP 400/i,
  },
  {
    command: 'image-show',
    says: 'one image, for people',
    given: active(),
    args: (at) => ['--human-readable', '--max-column-width', '40', at.image.id],
    prints: [/size 1\.2/, 'status active'],
  },
  { command: 'image-show', says: 'says what is missing', args: noImage, fails: `HTTP 404 Not Found: ` },
  {
    command: 'image-update',
    says: 'attributes and properties',
    given: active({ os_version: '12', gone: 'soon' }),
    args: (at) => [
      ...['--name', 'newer', '--property', 'colour=red', '--remove-property', 'gone', '--os-version', '13'],
      ...['--min-ram', '128', '--min-disk', '2', '--hidden', 'True', '--visibility', 'community', '--protected'],
      ...['True', '--architecture', 'x86_64', at.image.id],
    ],
    prints: ['name newer', 'colour red', 'os_version 13', 'visibility community'],
    after: async (at) => {
      const now = await at.images('demo').show(at.image.id);
      expect(now).toMatchObject({
        min_ram: 128,
        min_disk: 2,
        os_hidden: true,
        protected: true,
        architecture: 'x86_64',
      });
      expect(now).not.toHaveProperty('gone');
    },
  },
  {
    command: 'image-update',
    says: 'not the format of an active image',
    given: active(),
    args: (at) => ['--disk-format', 'iso', at.image.id],
    fails: /HTTP 403 Forbidden: .*disk_format/,
  },
  {
    command: 'image-delete',
    says: 'several; what does not exist is named, the others go',
    given: active(),
    args: (at) => [NOBODY, at.image.id],
    fails: `No image with an ID of '${NOBODY}' exists.`,
    after: isGone,
  },
  {
    command: 'image-delete',
    says: 'not a protected one',
    given: active({ protected: true }),
    args: about,
    fails: /You are not permitted to delete the image/,
  },
  {
    command: 'image-delete',
    says: 'with staged bytes',
    given: staged(),
    args: about,
    after: isGone,
  },
  {
    command: 'image-deactivate',
    says: 'an active image',
    given: active(),
    args: about,
    after: becomes({ status: 'deactivated' }),
  },
  {
    command: 'image-deactivate',
    says: 'not a queued one',
    given: queued(),
    args: about,
    fails: 'HTTP 403 Forbidden: ',
  },
  {
    command: 'image-reactivate',
    says: 'a deactivated image',
    given: deactivated,
    args: about,
    after: becomes({ status: 'active' }),
  },
  {
    command: 'image-tag-update',
    says: 'a tag with a space and an umlaut',
    given: queued({ tags: ['old'] }),
    args: (at) => [at.image.id, 'nächste ausgabe'],
    after: async (at) => expect(sorted(await at.images('demo').show(at.image.id))).toEqual(['nächste ausgabe', 'old']),
  },
  {
    command: 'image-tag-delete',
    says: 'one tag',
    given: queued({ tags: ['old', 'new'] }),
    args: (at) => [at.image.id, 'old'],
    after: becomes({ tags: ['new'] }),
  },
  {
    command: 'image-tag-delete',
    says: 'not one it does not have',
    given: queued(),
    args: (at) => [at.image.id, 'never'],
    fails: 'HTTP 404 Not Found: ',
  },
  ...['image', 'images', 'member', 'members', 'task', 'tasks'].map((model) => ({
    command: 'explain',
    says: `the schema ${model}`,
    args: () => [model],
    prints: ['Attribute Description'],
  })),
  {
    command: 'explain',
    says: 'says that a model is unknown',
    args: () => ['sandwich'],
    fails: "Unable to find requested model 'sandwich'",
  },
];

const SHARING: readonly Row[] = [
  {
    command: 'member-create',
    says: 'a member, pending',
    given: active(),
    args: (at) => [at.image.id, at.project.alt],
    prints: ['pending'],
  },
  {
    command: 'member-create',
    says: 'not twice',
    given: sharedWithAlt(),
    args: (at) => [at.image.id, at.project.alt],
    fails: 'HTTP 409 Conflict: ',
  },
  {
    command: 'member-create',
    says: 'not of a private image',
    given: active({ visibility: 'private' }),
    args: (at) => [at.image.id, at.project.alt],
    fails: /HTTP 403 Forbidden: .*shared/,
  },
  {
    command: 'member-get',
    says: 'one member',
    given: sharedWithAlt(),
    args: (at) => [at.image.id, at.project.alt],
    prints: ['status pending', 'schema /v2/schemas/member'],
  },
  {
    command: 'member-list',
    says: 'the members',
    given: sharedWithAlt('rejected'),
    args: (at) => ['--image-id', at.image.id],
    prints: ['rejected'],
  },
  {
    command: 'member-update',
    says: 'the member accepts',
    as: 'alt',
    given: sharedWithAlt(),
    args: (at) => [at.image.id, at.project.alt, 'accepted'],
    after: memberStatus('accepted'),
  },
  {
    command: 'member-update',
    says: 'the owner cannot',
    given: sharedWithAlt(),
    args: (at) => [at.image.id, at.project.alt, 'accepted'],
    fails: 'HTTP 403 Forbidden: ',
    after: memberStatus('pending'),
  },
  {
    command: 'member-delete',
    says: 'a member',
    given: sharedWithAlt('accepted'),
    args: (at) => [at.image.id, at.project.alt],
    after: memberStatus(undefined),
  },
  {
    command: 'location-add',
    says: 'an object in a store makes a queued image active',
    given: brought,
    args: (at) => ['--url', locationOf(at.image), '--metadata', '{"rack": "7"}', at.image.id],
    after: becomes({ status: 'active', size: CONTENT.length }),
  },
  {
    command: 'location-add',
    says: 'not an address that no store holds',
    given: queued(),
    args: (at) => ['--url', 'http://127.0.0.1:1/x', at.image.id],
    fails: /HTTP 400 Bad Request: .*[Ll]ocation/,
  },
  {
    command: 'location-update',
    says: 'metadata of a location',
    given: located,
    args: (at) => ['--url', locationOf(at.image), '--metadata', '{"rack": "8"}', at.image.id],
    prints: [/"rack": "8"/],
  },
  {
    command: 'location-delete',
    says: 'one of two',
    as: 'admin',
    given: located,
    args: (at) => ['--url', locationOf(at.image), at.image.id],
    after: async (at) => expect((await at.images('demo').show(at.image.id))['locations']).toHaveLength(1),
  },
  { command: 'stores-info', says: 'the stores', prints: ['central', 'dcn0', 'dcn1', '"default": "true"'] },
  {
    command: 'stores-info',
    says: 'details for admins',
    as: 'admin',
    args: () => ['--detail'],
    prints: ['"type": "s3"'],
  },
  {
    command: 'stores-info',
    says: 'no details for others',
    args: () => ['--detail'],
    fails: 'HTTP 403 Forbidden: You are not authorized to complete stores_info_detail action.',
  },
  {
    command: 'stores-delete',
    says: 'one of three copies',
    as: 'admin',
    given: async (world) => {
      const record = await active()(world);
      const body = { method: { name: 'copy-image' }, all_stores: true };
      expect((await world.images('admin').import(record.id, body)).status).toBe(202);
      return world.images('admin').settled(record.id);
    },
    args: (at) => ['--store', 'dcn0', at.image.id],
    after: becomes({ status: 'active', stores: 'central,dcn1' }),
  },
  {
    command: 'stores-delete',
    says: 'not the last copy',
    as: 'admin',
    given: active(),
    args: (at) => ['--store', 'central', at.image.id],
    fails: /Unable to delete image .* from store 'central'.*HTTP 403 Forbidden/,
  },
];

const TASKS: readonly Row[] = [
  {
    command: 'task-create',
    says: 'an import',
    as: 'admin',
    args: (at) => ['--type', 'import', '--input', TASK_INPUT(at)],
    prints: ['type import', 'status pending'],
  },
  {
    command: 'task-create',
    says: 'not of an unknown type',
    as: 'admin',
    args: () => ['--type', 'bake', '--input', '{}'],
    fails: /HTTP 400 Bad Request: .*bake|bake.*not/,
  },
  {
    command: 'task-list',
    says: 'by type and status, sorted, in pages',
    as: 'admin',
    given: async (world) => {
      const task = await madeTask(world);
      await expect.poll(async () => (await taskOf(world, task.id)).status, { timeout: 30_000 }).toBe('success');
      return task;
    },
    args: () => [
      '--type',
      'import',
      '--status',
      'success',
      '--sort-key',
      'id',
      '--sort-dir',
      'asc',
      '--page-size',
      '2',
    ],
    after: async (at, output) => expect(output).toContain(at.image.id),
  },
  { command: 'task-list', says: 'is for admins', fails: 'HTTP 403 Forbidden: ' },
  {
    command: 'task-show',
    says: 'one task',
    as: 'admin',
    given: madeTask,
    args: about,
    prints: ['type import', '"import_from_format": "raw"'],
  },
  {
    command: 'task-show',
    says: 'not one that does not exist',
    as: 'admin',
    args: noImage,
    fails: 'HTTP 404 Not Found: ',
  },
  {
    command: 'usage',
    says: 'limits and what is used of them',
    prints: [/image_count_total 400 \d+/, 'image_size_total'],
  },
];

async function taskOf({ glimpse }: World, id: string): Promise<{ status: string }> {
  return (await ok(glimpse.api('admin', 'GET', `/v2/tasks/${id}`))).json() as Promise<{ status: string }>;
}

function sorted(record: WireImage): unknown[] {
  return [...(record['tags'] as unknown[])].sort();
}

export const GLANCE_COMMANDS: readonly Row[] = [...CREATE, ...DATA, ...IMAGES, ...SHARING, ...TASKS];

/** What the rows expect of the service. */
export const GLANCE_CONFIG = {
  show_multiple_locations: true,
  use_keystone_limits: true,
  registered_limits: {
    image_size_total: 1000,
    image_stage_total: 1000,
    image_count_total: 400,
    image_count_uploading: 50,
  },
} as const;
