import { expect, it } from 'vitest';
import { type GroupOperations, ROUTES, type Route } from '../../../api/routes.ts';
import { code, markdownTable } from '../../../scripts/printed-section.ts';
import type { Row } from '../../acceptance/support/client-rows.ts';
import { GLANCE_COMMANDS } from '../../acceptance/support/glance-commands.ts';
import { OPENSTACK_COMMANDS } from '../../acceptance/support/openstack-commands.ts';

const schema = ['glance `explain`'];
/** The clients that reach an operation in acceptance; the compiler asks for the missing ones. */
const REACHED_BY: Readonly<Record<GroupOperations<'images' | 'gateway'>, readonly string[]>> = {
  createImage: ['glance `image-create`', 'openstack `image create`', 'openstacksdk'],
  listImages: ['glance `image-list`', 'openstack `image list`', 'openstacksdk, 250 images'],
  showImage: ['glance `image-show`', 'openstack `image show`', 'openstacksdk'],
  patchImage: ['glance `image-update`, `location-*`', 'openstack `image set`, `image unset`', 'openstacksdk'],
  deleteImage: ['glance `image-delete`', 'openstack `image delete`', 'openstacksdk'],
  deactivateImage: ['glance `image-deactivate`', 'openstack `image set --deactivate`', 'openstacksdk'],
  reactivateImage: ['glance `image-reactivate`', 'openstack `image set --activate`', 'openstacksdk'],
  downloadImage: ['glance `image-download`', 'openstack `image save`', 'openstacksdk'],
  uploadImage: ['glance `image-upload`', 'openstack `image create --file`', 'openstacksdk'],
  stageImage: ['glance `image-stage`', 'openstack `image create --import`', 'openstacksdk'],
  importImage: ['glance `image-import`', 'openstack `image create --import`', 'openstacksdk'],
  listImageTasks: ['glance `image-tasks`'],
  listLocations: [],
  addLocation: [],
  addTag: ['glance `image-tag-update`', 'openstacksdk'],
  deleteTag: ['glance `image-tag-delete`', 'openstack `image unset --tag`', 'openstacksdk'],
  listMembers: ['glance `member-list`', 'openstack `image member list`', 'openstacksdk'],
  addMember: ['glance `member-create`', 'openstack `image add project`', 'openstacksdk'],
  showMember: ['glance `member-get`'],
  updateMember: ['glance `member-update`', 'openstack `image set --accept`', 'openstacksdk'],
  deleteMember: ['glance `member-delete`', 'openstack `image remove project`', 'openstacksdk'],
  deleteStoreCopy: ['glance `stores-delete`'],
  showImportInfo: ['glance `import-info`', 'openstacksdk'],
  showStoresInfo: ['glance `stores-info`', 'openstacksdk'],
  showStoresDetail: ['glance `stores-info --detail`'],
  showUsage: ['glance `usage`'],
  createTask: ['glance `task-create`'],
  listTasks: ['glance `task-list`'],
  showTask: ['glance `task-show`'],
  deleteTask: [],
  showImageSchema: [...schema, 'openstacksdk'],
  showImagesSchema: schema,
  showMemberSchema: schema,
  showMembersSchema: schema,
  showTaskSchema: schema,
  showTasksSchema: schema,
};

const PAGE = `# Compatibility

What was run against the service, unmodified and as Debian 12 packages it. The tables of commands are the tests' own
(\`test/acceptance/support/\`); this page is written from them by \`npx vitest run --project unit test/unit/docs/compatibility.test.ts -u\`.

| Client | Version | Test |
| --- | --- | --- |
| python-glanceclient | 4.1.0 | \`test/acceptance/clients-glance.test.ts\`: every command of \`glance help\` except those of the cache; \`md-*\`: \`metadefs.test.ts\` |
| python-openstackclient | 6.0.0 | \`test/acceptance/clients-openstack.test.ts\`: every command of \`openstack image --help\`, and look-ups of identity |
| openstacksdk | 0.101.0 | \`test/acceptance/clients-openstacksdk.test.ts\`: a program of 100 lines; upload, both imports, 250 images in pages, deactivation, sharing, checksums |
| Keystone | 22.0.2 | \`test/acceptance/keystone.test.ts\`: \`identity.mode: keystone\`; roles, revocation, an outage, both command lines with its catalog |

Where the clients themselves stand in the way: \`openstack image save\` of a deactivated image says "InvalidResponse" (openstacksdk 0.101 does not
look at the status), \`openstack image remove project\` is content when there was no such member, and \`get_import_info\` of that openstacksdk fails before it
asks. \`openstack image import\`, \`image stage\`, \`image task\` and \`image stores\` came with later releases and were not run; glance has commands for the same operations.

## Endpoints

\`test/contract/\` speaks raw HTTP to the routes, and \`policy-walk.test.ts\` there walks all of them with every role. The clients that reach them as well:

{endpoints}

The metadata catalog (\`/v2/metadefs\`) is reached by glance \`md-*\`; the identity routes by every client's log-in, by the look-ups below and by \`test/contract/identity-*\`.

## glance

{glance}

## openstack

{openstack}
`;

it('docs/compatibility.md is what the tables of the acceptance tests say', async () => {
  const page = PAGE.replace('{endpoints}', endpoints())
    .replace('{glance}', commands(GLANCE_COMMANDS))
    .replace('{openstack}', commands(OPENSTACK_COMMANDS));

  await expect(page).toMatchFileSnapshot('../../../docs/compatibility.md');
});

function endpoints(): string {
  const rows = Object.entries<readonly string[]>(REACHED_BY).map(([operation, clients]) => {
    const { method, path, success }: Route = ROUTES[operation as keyof typeof ROUTES];
    return [code(`${method} ${path}`), String(success), clients.join('; ')];
  });
  return markdownTable(['Request', 'Success', 'Clients'], rows);
}

function commands(rows: readonly Row[]): string {
  const byCommand = Map.groupBy(rows, ({ command }) => command);
  return markdownTable(
    ['Command', 'What was run'],
    [...byCommand].map(([command, runs]) => [code(command), runs.map(({ says }) => says).join('; ')]),
  );
}
