import { expect, it } from 'vitest';
import type { Route } from '../../../api/route.ts';
import { type GroupOperations, ROUTES } from '../../../api/routes.ts';
import { code, markdownTable } from '../../../scripts/printed-section.ts';
import type { Row } from '../../acceptance/support/client-rows.ts';
import { GLANCE_COMMANDS } from '../../acceptance/support/glance-commands.ts';
import { OPENSTACK_COMMANDS } from '../../acceptance/support/openstack-commands.ts';

const schema = ['glance `explain`'];
const UPLOADS = ['`test/contract/upload-sessions.test.ts`'];
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
  // These clients know the locations of a PATCH only.
  listLocations: ['`test/acceptance/locations.test.ts`'],
  addLocation: ['`test/acceptance/locations.test.ts`'],
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
  deleteTask: ['by nobody: tasks cannot be deleted'],
  listImports: ['`glimpse imports list`'],
  showImport: ['`glimpse imports show`'],
  listLeftovers: ['`glimpse imports leftovers`'],
  cancelImport: ['`glimpse imports cancel`'],
  retryImport: ['`glimpse imports retry`'],
  createUpload: UPLOADS,
  listUploads: UPLOADS,
  showUpload: UPLOADS,
  signParts: UPLOADS,
  completeUpload: UPLOADS,
  abortUpload: UPLOADS,
  createLink: ['`test/contract/links.test.ts`'],
  showImageSchema: [...schema, 'openstacksdk'],
  showImagesSchema: schema,
  showMemberSchema: schema,
  showMembersSchema: schema,
  showTaskSchema: schema,
  showTasksSchema: schema,
};

const md = (...commands: string[]) => [`glance ${commands.map((command) => `\`md-${command}\``).join(', ')}`];
const CATALOG: Readonly<Record<GroupOperations<'metadefs'>, readonly string[]>> = {
  listResourceTypes: md('resource-type-list'),
  deleteResourceType: ['`glimpse metadefs unload`'],
  listNamespaces: md('namespace-list'),
  createNamespace: md('namespace-create', 'namespace-import'),
  showNamespace: md('namespace-show'),
  updateNamespace: md('namespace-update'),
  deleteNamespace: md('namespace-delete'),
  listAssociations: md('namespace-resource-type-list'),
  associateResourceType: md('resource-type-associate'),
  dissociateResourceType: md('resource-type-deassociate'),
  listProperties: md('property-list'),
  createProperty: md('property-create'),
  deleteProperties: md('namespace-properties-delete'),
  showProperty: md('property-show'),
  updateProperty: md('property-update'),
  deleteProperty: md('property-delete'),
  listObjects: md('object-list'),
  createObject: md('object-create'),
  deleteObjects: md('namespace-objects-delete'),
  showObject: md('object-show', 'object-property-show'),
  updateObject: md('object-update'),
  deleteObject: md('object-delete'),
  listMetadefTags: md('tag-list'),
  createMetadefTags: md('tag-create-multiple'),
  deleteMetadefTags: md('namespace-tags-delete'),
  showMetadefTag: md('tag-show'),
  createMetadefTag: md('tag-create'),
  updateMetadefTag: md('tag-update'),
  deleteMetadefTag: md('tag-delete'),
  showNamespaceSchema: md('namespace-create', 'namespace-update'),
  showNamespacesSchema: ['`test/contract/metadefs-children.test.ts`'],
  showResourceTypeSchema: md('resource-type-associate'),
  showResourceTypesSchema: ['`test/contract/metadefs-children.test.ts`'],
  showPropertySchema: md('property-create', 'property-update'),
  showPropertiesSchema: ['`test/contract/metadefs-children.test.ts`'],
  showObjectSchema: md('object-create', 'object-update'),
  showObjectsSchema: ['`test/contract/metadefs-children.test.ts`'],
  showTagSchema: md('tag-create', 'tag-update'),
  showTagsSchema: ['`test/contract/metadefs-children.test.ts`'],
};

const os = (...commands: string[]) => [`openstack ${commands.map(code).join(', ')}`];
const TOKENS = '`test/contract/identity-tokens.test.ts`';
const DIRECTORY = '`test/contract/identity-directory.test.ts`';
const IDENTITY: Readonly<Record<GroupOperations<'identity'>, readonly string[]>> = {
  listIdentityVersions: ['every client, to find v3'],
  showIdentityVersion: ['every client, to find v3'],
  createToken: ['every client'],
  showToken: ['`test/acceptance/support/client-rows.ts`'],
  checkToken: [TOKENS],
  deleteToken: os('token revoke'),
  showCatalog: [TOKENS],
  listAuthProjects: [TOKENS],
  listAuthDomains: [TOKENS],
  listAuthSystem: [TOKENS],
  listDomains: os('domain list'),
  createDomain: os('domain create'),
  showDomain: os('domain show', 'project create --domain'),
  updateDomain: os('domain set'),
  deleteDomain: os('domain delete'),
  listProjects: os('project list', 'image add project'),
  createProject: os('project create'),
  showProject: os('project show', 'image add project'),
  updateProject: os('project set'),
  deleteProject: os('project delete'),
  listUsers: os('user list'),
  createUser: os('user create'),
  showUser: os('user show'),
  updateUser: os('user set'),
  deleteUser: os('user delete'),
  changePassword: [DIRECTORY],
  listGroups: os('group list'),
  listUserProjects: [DIRECTORY],
  listRoles: os('role list'),
  createRole: os('role create'),
  showRole: os('role show'),
  updateRole: [DIRECTORY],
  deleteRole: os('role delete'),
  listProjectRoles: [DIRECTORY],
  assignProjectRole: os('role add'),
  checkProjectRole: [DIRECTORY],
  unassignProjectRole: os('role remove'),
  listDomainRoles: [DIRECTORY],
  assignDomainRole: [DIRECTORY],
  checkDomainRole: [DIRECTORY],
  unassignDomainRole: [DIRECTORY],
  listSystemRoles: [DIRECTORY],
  assignSystemRole: [DIRECTORY],
  checkSystemRole: [DIRECTORY],
  unassignSystemRole: [DIRECTORY],
  listRoleAssignments: os('role assignment list'),
  listCredentials: os('application credential list'),
  createCredential: os('application credential create'),
  showCredential: os('application credential show'),
  deleteCredential: os('application credential delete'),
};

const PAGE = `# Compatibility

What was run against the service, unmodified and as Debian 12 packages it. The tables of commands are the tests' own
(\`test/acceptance/support/\`); this page is written from them by \`npx vitest run --project unit test/unit/docs/compatibility.test.ts -u\`.

| Client | Version | Test |
| --- | --- | --- |
| python-glanceclient | 4.1.0 | \`test/acceptance/clients-glance.test.ts\`: every command of \`glance help\` except those of the cache; \`md-*\`: \`metadefs.test.ts\` |
| python-openstackclient | 6.0.0 | \`test/acceptance/clients-openstack.test.ts\`: every command of \`openstack image --help\`, and identity: projects, users, roles, domains, application credentials, tokens |
| openstacksdk | 0.101.0 | \`test/acceptance/clients-openstacksdk.test.ts\`: a program of 100 lines; upload, both imports, 250 images in pages, deactivation, sharing, checksums |
| Keystone | 22.0.2 | \`test/acceptance/keystone.test.ts\`: \`identity.mode: keystone\`; roles, revocation, an outage, both command lines with its catalog |

Programs that use an image service, with their own code against a running one:

| Consumer | Version | Test |
| --- | --- | --- |
| Nova | 26.2.2 | \`test/acceptance/consumers-nova.test.ts\`: \`nova.image.glance\` and \`ImageMeta\`: snapshots of disks and of volumes (no bytes), lists, updates, downloads, locations, sharing, copies to a store, Nova's own exceptions |
| Cinder | 21.3.1 | \`test/acceptance/consumers-cinder.test.ts\`: \`cinder.image\`: volumes to images (as they are, converted, into a store, beside their base) and back, locations, lists, members, Cinder's own exceptions |

Where the clients themselves stand in the way: \`openstack image save\` of a deactivated image says "InvalidResponse" (openstacksdk 0.101 does not
look at the status), \`openstack image remove project\` is content when there was no such member, and \`get_import_info\` of that openstacksdk fails before it
asks. Nova 26 closes the iterator that \`API.download\` returns when it is given no file, before anybody reads it. \`openstack image import\`, \`image stage\`, \`image task\` and \`image stores\` came with later releases and were not run; glance has commands for the same operations.
glanceclient 4.1 has \`--remote-region\` and \`--remote-image-id\` on \`image-import\` and \`image-create-via-import\`, but the first says that they are missing and the second does not send them: \`glance-download\` was run through its library
(\`client.images.image_import\`), in both directions between two services (\`test/acceptance/glance-download.test.ts\`), and needs a later release on the command line.

\`openstack image create --sign-key-path … --sign-cert-id …\` of this release writes the signature as Python's text for bytes, \`b'…'\`. It is taken in exactly that form too, and is plain Base64 once it was verified, because Nova and Cinder do not read it otherwise
(\`test/acceptance/signatures.test.ts\`, which verifies what we give back with cursive, the library that both use). See [signed images](operations/signed-images.md).

## Endpoints

\`test/contract/\` speaks raw HTTP to the routes, and \`policy-walk.test.ts\` there walks all of them with every role. The clients that reach them as well, or the test where none of them does:

{endpoints}

Without a token, and in no table of routes: \`GET /versions\` (200), \`/\` and any path of another version (300), \`GET\` and \`HEAD /healthcheck\` (200, 204), \`OPTIONS\`
on every path (200); \`test/contract/images-edge.test.ts\`. Every \`/v2.N\` that the versions name is \`/v2\`.

A store is a bucket. There is no \`http\` store, which the contract leaves to the deployment: a location with an \`http(s)\` address is refused (400), and only services add
locations. \`fetch_image_location\` asks for the role \`service\` or \`admin\` of the token itself; a service that comes with a user's token reads with the user's roles. The API of
Glance's cache (\`/v2/cache\`, 2.14, 2.16 and 2.18) is not there, and the versions do not name it.

A failed import names in \`os_glance_failed_import\` the stores that failed; Glance names all that were asked for when it had to download or convert. A \`glance-download\` from a region that the catalog does not have is refused at once
(400), where Glance's task fails; the catalog's endpoint passes no \`import_filtering_opts\`, as it does in Glance, where it redirects to does.

Two images may be at one location, that is, an object which a service brought: both are active, each is hashed and counted by itself, and neither owns the bytes. Deleting
an image, or its copy in that store, leaves them, and the other image, as they are; who brought them removes them. Glance deletes them with the first image, and the other one is broken then.

The image of a task of the old API (\`POST /v2/tasks\`) belongs to the project that asked, unless \`image_properties\` name another owner, and goes when the task fails. An import that was cancelled
(\`POST /glimpse/v1/imports/{task}/cancel\`) is to stock clients one that failed: its task is a \`failure\`, its image \`queued\`; the stores of a copy are in \`os_glance_failed_import\`, for which Nova looks.

### Metadata definitions

{catalog}

### Identity, below \`/identity\`

{identity}

## glance

{glance}

## openstack

{openstack}
`;

it('docs/compatibility.md is what the tables of the acceptance tests say', async () => {
  const page = PAGE.replace('{endpoints}', endpoints(REACHED_BY))
    .replace('{catalog}', endpoints(CATALOG))
    .replace('{identity}', endpoints(IDENTITY))
    .replace('{glance}', commands(GLANCE_COMMANDS))
    .replace('{openstack}', commands(OPENSTACK_COMMANDS));

  await expect(page).toMatchFileSnapshot('../../../docs/compatibility.md');
});

function endpoints(reachedBy: Readonly<Record<string, readonly string[]>>): string {
  const rows = Object.entries(reachedBy).map(([operation, clients]) => {
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
