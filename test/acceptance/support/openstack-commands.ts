/** Every command of python-openstackclient below `image`, and those of identity. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
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
} from './client-rows.ts';
import { IDENTITY_COMMANDS } from './identity-commands.ts';

const file = (at: At): string[] => ['--disk-format', 'raw', '--file', at.file];
const listed = async (at: At, output: string): Promise<void> => expect(output).toContain(at.image.id);

const CREATE: readonly Row[] = [
  {
    command: 'image create',
    says: 'with data, tags, properties and limits',
    args: (at) => [
      ...file(at),
      ...['--tag', 'blue', '--tag', 'green', '--property', 'hw_disk_bus=scsi', '--property', 'os_distro=debian'],
      ...['--min-disk', '1', '--min-ram', '64', '--protected', '--private', 'whole'],
    ],
    prints: ['name whole', 'visibility private', 'protected True'],
    after: makes({ status: 'active', checksum: MD5, min_disk: 1, min_ram: 64, hw_disk_bus: 'scsi', protected: true }),
  },
  {
    command: 'image create',
    says: 'through the import, with --import',
    args: (at) => [...file(at), '--import', 'imported'],
    after: makes({ status: 'active', checksum: MD5, os_glance_failed_import: '' }),
  },
  {
    command: 'image create',
    says: 'public, for admins, in the name of another project',
    as: 'admin',
    args: (at) => [...file(at), '--public', '--project', 'alt', '--project-domain', 'Default', 'for-all'],
    after: async (at, output) => makes({ visibility: 'public', owner: at.project.alt })(at, output),
  },
  ...(['community', 'shared', 'private'] as const).map((visibility) => ({
    command: 'image create',
    says: `with --${visibility} and --unprotected`,
    args: (at: At) => [...file(at), `--${visibility}`, '--unprotected', visibility],
    after: makes({ visibility, status: 'active', protected: false }),
  })),
  {
    command: 'image create',
    says: 'with an id and a container format',
    args: (at) => [
      ...file(at),
      ...['--id', '21111111-2222-4333-8444-555555555555', '--container-format', 'ovf', 'chosen'],
    ],
    prints: ['id 21111111-2222-4333-8444-555555555555', 'container_format ovf'],
  },
  {
    command: 'image create',
    says: 'not public for a member',
    args: (at) => [...file(at), '--public', 'mine-for-all'],
    fails: /(?:Http|Forbidden)Exception: 403: .*You are not authorized to complete publicize_image action/,
  },
  {
    command: 'image create',
    says: 'not with a property of the import',
    args: (at) => [...file(at), '--property', 'os_glance_importing_to_stores=x', 'sly'],
    fails: /403: .*os_glance/,
  },
  {
    command: 'image create',
    says: 'not for a reader',
    as: 'reader',
    args: (at) => [...file(at), 'read-only'],
    fails: /403: .*You are not authorized to complete add_image action/,
  },
];

const LIST: readonly Row[] = [
  {
    command: 'image list',
    says: 'what one sees, with details and an order',
    given: active({ name: 'in-the-list', tags: ['listed'] }),
    args: () => ['--long', '--sort', 'name:desc,id:asc'],
    // Later releases show the hash too.
    prints: [/in-the-list raw bare 1200 \S+ active shared False \S+ (?:sha512 \S+ )?listed/],
  },
  ...(['private', 'community', 'shared', 'public', 'all'] as const).map((visibility) => ({
    command: 'image list',
    says: `--${visibility}`,
    as: 'admin' as const,
    given: queued({ visibility: visibility === 'all' ? 'community' : visibility }, 'admin'),
    args: () => [`--${visibility}`],
    after: listed,
  })),
  {
    command: 'image list',
    says: 'by name, status, tags and property',
    given: active({ name: 'needle', tags: ['a', 'b'], colour: 'blue' }),
    args: () => [
      ...['--name', 'needle', '--status', 'active', '--tag', 'a', '--tag', 'b', '--property', 'colour=blue'],
    ],
    prints: ['needle active'],
  },
  {
    command: 'image list',
    says: 'of a project, for admins',
    as: 'admin',
    given: queued(),
    args: () => ['--project', 'demo', '--project-domain', 'Default'],
    after: listed,
  },
  {
    command: 'image list',
    says: 'hidden ones',
    given: queued({ os_hidden: true }),
    args: () => ['--hidden'],
    after: listed,
  },
  ...(['accepted', 'rejected', 'pending', 'all'] as const).map((status) => ({
    command: 'image list',
    says: `shared with me, --member-status ${status}`,
    as: 'alt' as const,
    given: sharedWithAlt(status === 'accepted' || status === 'rejected' ? status : undefined),
    args: () => ['--shared', '--member-status', status],
    after: listed,
  })),
  {
    command: 'image list',
    says: 'a page after a marker',
    given: async (world) => {
      await queued({ name: 'page', tags: ['paged'] })(world);
      return queued({ name: 'page', tags: ['paged'] })(world);
    },
    args: (at) => ['--tag', 'paged', '--limit', '1', '--marker', at.image.id],
    after: async (at, output) => {
      expect(output).toContain(' page ');
      expect(output).not.toContain(at.image.id);
    },
  },
  {
    command: 'image list',
    says: 'refuses an unknown visibility filter',
    args: () => ['--member-status', 'x'],
    fails: /invalid choice|400/,
  },
];

const SHOW_AND_SET: readonly Row[] = [
  {
    command: 'image show',
    says: 'by name, for people',
    given: active({ name: 'shown', colour: 'blue' }),
    args: () => ['--human-readable', 'shown'],
    prints: ['name shown', "colour='blue'", 'status active', '1.2K'],
  },
  {
    command: 'image show',
    says: 'a hidden one by name',
    given: queued({ name: 'veiled', os_hidden: true }),
    args: () => ['veiled'],
    prints: ['name veiled'],
  },
  { command: 'image show', says: 'says what is missing', args: () => ['nothing'], fails: 'No Image found for nothing' },
  {
    command: 'image set',
    says: 'attributes, tags and properties',
    given: active({ name: 'before', tags: ['old'], os_version: '12' }),
    args: (at) => [
      ...['--name', 'behind', '--min-disk', '3', '--min-ram', '256', '--protected', '--community', '--tag', 'new'],
      ...['--property', 'colour=red', '--architecture', 'x86_64', '--os-distro', 'debian', '--os-version', '13'],
      ...['--hidden', at.image.id],
    ],
    after: async (at) => {
      const now = await at.images('demo').show(at.image.id);
      expect([...(now['tags'] as string[])].sort()).toEqual(['new', 'old']);
      expect(now).toMatchObject({
        ...{ name: 'behind', min_disk: 3, min_ram: 256, protected: true, visibility: 'community', colour: 'red' },
        ...{ architecture: 'x86_64', os_distro: 'debian', os_version: '13', os_hidden: true },
      });
    },
  },
  {
    command: 'image set',
    says: 'formats of a queued image, and back from hidden and protected',
    given: queued({ os_hidden: true, protected: true }),
    args: (at) => ['--disk-format', 'iso', '--container-format', 'ovf', '--unhidden', '--unprotected', at.image.id],
    after: becomes({ disk_format: 'iso', container_format: 'ovf', os_hidden: false, protected: false }),
  },
  {
    command: 'image set',
    says: 'another owner, for admins',
    as: 'admin',
    given: queued(),
    args: (at) => ['--project', 'alt', at.image.id],
    after: async (at) => becomes({ owner: at.project.alt })(at),
  },
  {
    command: 'image set',
    says: '--deactivate',
    given: active(),
    args: (at) => ['--deactivate', at.image.id],
    after: becomes({ status: 'deactivated' }),
  },
  {
    command: 'image set',
    says: '--activate',
    given: deactivated,
    args: (at) => ['--activate', at.image.id],
    after: becomes({ status: 'active' }),
  },
  ...(['accept', 'reject', 'pending'] as const).map((word) => ({
    command: 'image set',
    says: `--${word} what was shared`,
    as: 'alt' as const,
    given: sharedWithAlt(word === 'pending' ? 'accepted' : undefined),
    args: (at: At) => [`--${word}`, at.image.id],
    after: async (at: At) => {
      const answer = await ok(at.glimpse.api('demo', 'GET', `/v2/images/${at.image.id}/members`));
      const { members } = (await answer.json()) as { members: { status: string }[] };
      expect(members[0]?.status).toBe(word === 'pending' ? 'pending' : `${word}ed`);
    },
  })),
  {
    command: 'image set',
    says: 'not the visibility public for a member',
    given: queued(),
    args: (at) => ['--public', at.image.id],
    fails: /403: .*You are not authorized to complete publicize_image action/,
  },
  {
    command: 'image unset',
    says: 'tags and properties',
    given: queued({ tags: ['a', 'b'], colour: 'red', taste: 'sweet' }),
    args: (at) => ['--tag', 'a', '--property', 'colour', at.image.id],
    after: async (at) => {
      const now = await at.images('demo').show(at.image.id);
      expect(now).toMatchObject({ tags: ['b'], taste: 'sweet' });
      expect(now).not.toHaveProperty('colour');
    },
  },
  {
    command: 'image unset',
    says: 'says that a tag is missing',
    given: queued(),
    args: (at) => ['--tag', 'never', at.image.id],
    fails: /tag unset failed|'never' is a nonexistent tag/,
  },
  {
    command: 'image save',
    says: 'a file',
    given: active(),
    args: (at) => ['--file', join(at.dir, at.image.id), at.image.id],
    after: async (at) => expect(await readFile(join(at.dir, at.image.id))).toEqual(CONTENT),
  },
  {
    command: 'image save',
    says: 'not of a deactivated image',
    given: deactivated,
    args: (at) => ['--file', join(at.dir, 'never'), at.image.id],
    fails: 'Unable to download image',
  },
  {
    command: 'image delete',
    says: 'several; what is missing is named, the others go',
    given: active(),
    args: (at) => [at.image.id, NOBODY],
    // Later releases take an image that is missing for a missing store.
    fails: /Failed to delete 1 of 2 images\.|Multi Backend support not enabled\./,
    after: isGone,
  },
  {
    command: 'image delete',
    says: 'not a protected one',
    given: queued({ protected: true }),
    args: about,
    fails: /403: .*protected/,
  },
];

const SHARING: readonly Row[] = [
  {
    command: 'image add project',
    says: 'by id',
    given: active(),
    args: (at) => [at.image.id, at.project.alt],
    prints: ['status pending'],
  },
  {
    command: 'image add project',
    says: 'by name, for admins',
    as: 'admin',
    given: active(),
    args: (at) => ['--project-domain', 'Default', at.image.id, 'alt'],
    after: async (at, output) => expect(output).toContain(at.project.alt),
    prints: ['status pending'],
  },
  {
    command: 'image add project',
    says: 'not twice',
    given: sharedWithAlt(),
    args: (at) => [at.image.id, at.project.alt],
    fails: /409: /,
  },
  {
    command: 'image member list',
    says: 'the members',
    given: sharedWithAlt('accepted'),
    args: about,
    prints: [/Image ID Member ID Status/, 'accepted'],
  },
  {
    command: 'image remove project',
    says: 'a member',
    given: sharedWithAlt(),
    args: (at) => [at.image.id, at.project.alt],
    after: async (at) => {
      const answer = await ok(at.glimpse.api('demo', 'GET', `/v2/images/${at.image.id}/members`));
      expect(await answer.json()).toMatchObject({ members: [] });
    },
  },
  {
    command: 'image remove project',
    says: 'one that is no member, which the client takes for done',
    given: queued(),
    args: (at) => [at.image.id, at.project.alt],
  },
];

export const OPENSTACK_COMMANDS: readonly Row[] = [
  ...CREATE,
  ...LIST,
  ...SHOW_AND_SET,
  ...SHARING,
  ...IDENTITY_COMMANDS,
];
