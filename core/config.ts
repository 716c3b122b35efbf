import { z } from 'zod';
import { COMPRESSIONS, CONVERSION_TARGETS, SUBFORMATS } from './formats.ts';
import { certificatesOf } from './signatures/trust.ts';

/** Where certificates of signatures are kept. */
export const KEY_MANAGERS = ['files', 'secrets-manager', 'barbican'] as const;

const SignatureRequirement = z.enum(['never', 'trusted', 'always']).default('never');

/**
 * Every setting of the service, once: names, defaults, limits and words. Names are Glance's where Glance has the option.
 * The JSON file named by GLIMPSE_CONFIG is parsed by this schema; docs/operations/configuration.md is printed from it.
 */
const storeId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'a store id is 1-63 letters, digits, - or _');

const StoreKeys = z.strictObject({ access_key: z.string().min(1), secret_key: z.string().min(1) });

/** Where a service is not what was found out about it (aws/s3/probe.ts). */
const AbilityOverrides = z.strictObject({
  verifies_crc32: z.boolean().optional(),
  verifies_md5: z.boolean().optional(),
  part_checksums_in_complete: z.boolean().optional(),
  full_object_crc32: z.boolean().optional(),
  needs_content_md5: z.boolean().optional(),
  conditional_copies: z.boolean().optional(),
  etag_of_complete: z.boolean().optional(),
});

export const StoreConfig = z.strictObject({
  id: storeId
    .refine((id) => !id.startsWith('os_glance_'), 'names starting os_glance_ are reserved')
    .describe('Store id as clients name it.'),
  description: z.string().default('').describe('Shown by stores-info.'),
  bucket: z.string().min(3).max(63).describe('Bucket that holds the images.'),
  region: z.string().optional().describe('Region of the bucket; default: where the service itself runs.'),
  endpoint: z
    .url()
    .optional()
    .describe('Endpoint of an S3-compatible service; absent for AWS (or the endpoint of AWS_ENDPOINT_URL).'),
  credentials_secret: z
    .string()
    .regex(
      /^(env:[A-Za-z_][A-Za-z0-9_]*|(?!env:)[A-Za-z0-9/_+=.@:-]+)$/,
      'the name or ARN of a secret, or env: and a prefix of variables',
    )
    .optional()
    .describe(
      'Credentials at `endpoint`: name or ARN of a Secrets Manager secret that holds `{"access_key", "secret_key"}`; `env:NAME` reads `NAME_ACCESS_KEY` and `NAME_SECRET_KEY` (`npm start` only).',
    ),
  credentials: StoreKeys.optional().describe(
    'Credentials at `endpoint` themselves, `{"access_key", "secret_key"}`: `npm start` only, refused in a stage.',
  ),
  abilities: AbilityOverrides.optional().describe(
    'What the service at `endpoint` can, where it is not as found out at first use: `verifies_crc32`, `verifies_md5`, `part_checksums_in_complete`, `full_object_crc32`, `needs_content_md5`, `conditional_copies`, `etag_of_complete`, each true or false. What is known of a store is among its `properties` in `GET /v2/info/stores/detail`, under these names.',
  ),
  default: z.boolean().default(false).describe('Takes images for which no store is named.'),
  weight: z.int().default(0).describe('Higher is preferred for reading.'),
  sparse: z
    .boolean()
    .default(true)
    .describe('Store raw images packed; false for consumers that read the bucket themselves.'),
});
export type StoreConfig = z.infer<typeof StoreConfig>;

const names = (defaults: readonly string[], text: string) =>
  z
    .array(z.string().min(1))
    .default([...defaults])
    .describe(text);

export const Config = z.strictObject({
  public_endpoint: z
    .url()
    .optional()
    .describe('Base URL in links and in the catalog; default: the base of the request.'),
  region_name: z.string().default('RegionOne').describe('Region in the service catalog.'),
  stores: z.array(StoreConfig).min(1).describe('Stores, one bucket each.'),
  enabled_import_methods: z
    .array(z.enum(['glance-direct', 'web-download', 'copy-image', 'glance-download']))
    .default(['glance-direct', 'web-download', 'copy-image'])
    .describe('Import methods offered.'),
  image_import_plugins: z
    .array(z.enum(['no_op', 'inject_image_metadata', 'image_decompression', 'image_conversion', 'image_introspection']))
    .default([])
    .describe('Import plugins in the order they run; image_introspection behind image_decompression.'),
  image_conversion: z
    .strictObject({
      output_format: z
        .enum(CONVERSION_TARGETS)
        .default('raw')
        .describe('Format that image_conversion converts to; vmdk is streamOptimized.'),
      compression: z
        .enum(COMPRESSIONS)
        .default('none')
        .describe('Compression of the clusters of a qcow2 result (not of Glance).'),
      subformat: z
        .enum(SUBFORMATS)
        .default('dynamic')
        .describe('Form of a vhd result; Azure takes fixed (not of Glance).'),
      whole_mib: z
        .boolean()
        .default(false)
        .describe(
          'Pad the disk of a vhd or vhdx result with zeros to whole MiB, as Azure asks of a fixed vhd (not of Glance).',
        ),
    })
    .prefault({}),
  inject_metadata_properties: z
    .strictObject({
      inject: z.record(z.string(), z.string()).default({}).describe('Properties set on imported images.'),
      ignore_user_roles: names(['admin'], 'Requesters with one of these roles are left alone.'),
    })
    .prefault({}),
  import_filtering_opts: z
    .strictObject({
      allowed_schemes: names(['http', 'https'], 'Schemes allowed for web-download.'),
      disallowed_schemes: names([], 'Schemes refused; ignored when allowed_schemes is not empty.'),
      allowed_hosts: names([], 'Hosts allowed; empty means all that disallowed_hosts does not name.'),
      disallowed_hosts: names([], 'Hosts refused; ignored when allowed_hosts is not empty.'),
      allowed_ports: z
        .array(z.int().min(1).max(65535))
        .default([80, 443])
        .describe('Ports allowed; a URL that names none has that of its scheme. Empty means all.'),
      disallowed_ports: z
        .array(z.int().min(1).max(65535))
        .default([])
        .describe('Ports refused; ignored when allowed_ports is not empty.'),
      allow_private_addresses: z
        .boolean()
        .default(false)
        .describe('Let URLs lead to loopback, link-local, private and metadata addresses.'),
    })
    .prefault({}),
  web_download: z
    .strictObject({
      connections: z
        .int()
        .min(1)
        .max(16)
        .default(4)
        .describe('Connections at once for a download whose server gives parts; 1 asks for no parts.'),
      stall_timeout: z
        .int()
        .positive()
        .default(60)
        .describe('Seconds without a byte after which a connection counts as broken.'),
    })
    .prefault({}),
  glance_download_properties: z
    .strictObject({
      extra_properties: names(
        ['hw_', 'trait:', 'os_distro', 'os_secure_boot', 'os_type'],
        'Properties of the other image that glance-download takes over, by what they begin with.',
      ),
    })
    .prefault({}),
  image_format: z
    .strictObject({
      container_formats: names(
        ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed'],
        'container_format values, in schema order.',
      ),
      disk_formats: names(
        ['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop'],
        'disk_format values, in schema order.',
      ),
      vmdk_allowed_types: names(['streamOptimized', 'monolithicSparse'], 'VMDK create types accepted.'),
      require_image_format_match: z
        .boolean()
        .default(true)
        .describe('Refuse content that is not what disk_format says.'),
      strict_kernels: z
        .boolean()
        .default(false)
        .describe('Refuse aki and ari images whose content is no kernel or ramdisk that is known.'),
      gpt_safety_checks_nonfatal: z
        .array(z.enum(['mbr', 'gptmbr']))
        .default([])
        .describe('Checks of a disk with a partition table that are only logged. mbr, or gptmbr: the boot record.'),
    })
    .prefault({}),
  hashing_algorithm: z.enum(['sha256', 'sha384', 'sha512']).default('sha512').describe('Algorithm of os_hash_value.'),
  show_multiple_locations: z.boolean().default(false).describe('Show and accept locations.'),
  show_image_direct_url: z.boolean().default(false).describe('Show direct_url.'),
  do_secure_hash: z.boolean().default(true).describe('Compute hashes of images added by location.'),
  image_size_cap: z.int().positive().default(1_099_511_627_776).describe('Bytes one image may have.'),
  max_virtual_size: z
    .int()
    .positive()
    .default(256 * 1024 ** 3)
    .describe('Bytes the guest view of an image may have; checked before any work.'),
  user_storage_quota: z
    .string()
    .regex(/^\d+(B|KB|MB|GB|TB)?$/, 'a number with an optional unit B, KB, MB, GB or TB')
    .default('0')
    .describe('Bytes a project may store; 0 = unlimited.'),
  image_property_quota: z.int().default(128).describe('Custom properties per image; negative = unlimited.'),
  image_tag_quota: z.int().default(128).describe('Tags per image; negative = unlimited.'),
  image_member_quota: z.int().default(128).describe('Members per image; negative = unlimited.'),
  image_location_quota: z.int().default(10).describe('Locations per image; negative = unlimited.'),
  metadef_namespace_quota: z.int().default(1000).describe('Metadata namespaces per project; negative = unlimited.'),
  metadef_property_quota: z
    .int()
    .default(20_000)
    .describe('Metadata properties in the namespaces of a project; negative = unlimited.'),
  metadef_object_quota: z
    .int()
    .default(5000)
    .describe('Metadata objects in the namespaces of a project; negative = unlimited.'),
  metadef_tag_quota: z
    .int()
    .default(20_000)
    .describe('Metadata tags in the namespaces of a project; negative = unlimited.'),
  metadef_resource_type_quota: z
    .int()
    .default(5000)
    .describe('Resource types made, and associations held, by a project; negative = unlimited.'),
  use_keystone_limits: z
    .boolean()
    .default(false)
    .describe('Enforce limits per project: those in Keystone with identity.mode keystone, else registered_limits.'),
  oslo_limit: z
    .strictObject({
      endpoint_id: z
        .string()
        .min(1)
        .optional()
        .describe('Endpoint of this service in Keystone; limits are those of its service and region.'),
    })
    .prefault({}),
  registered_limits: z
    .strictObject({
      image_size_total: z.int().default(0).describe('MiB stored per project.'),
      image_stage_total: z.int().default(0).describe('MiB staged per project.'),
      image_count_total: z.int().default(0).describe('Images per project.'),
      image_count_uploading: z.int().default(0).describe('Images being uploaded or imported per project.'),
    })
    .prefault({})
    .describe(
      'Limits per project while use_keystone_limits is on without a Keystone; a resource without one counts as 0, a negative one is no limit.',
    ),
  limit_param_default: z.int().positive().default(25).describe('Page size when limit is not given.'),
  api_limit_max: z.int().positive().default(1000).describe('Largest page.'),
  max_request_id_length: z.int().positive().default(64).describe('Longest X-Openstack-Request-Id taken.'),
  queued_image_ttl: z
    .int()
    .nonnegative()
    .default(0)
    .describe('Hours after which an image that stays queued, with no bytes on their way, is removed; 0: never.'),
  task: z
    .strictObject({ task_time_to_live: z.int().positive().default(48).describe('Hours a finished task is kept.') })
    .prefault({}),
  identity: z
    .strictObject({
      mode: z
        .enum(['embedded', 'keystone'])
        .default('embedded')
        .describe('Own identity service, or tokens of an existing Keystone.'),
      auth_url: z.url().optional().describe('Keystone URL, for mode keystone.'),
      username: z.string().optional().describe('Service user, for mode keystone.'),
      password: z
        .string()
        .optional()
        .describe('Its password: set by the environment, never by a file in the repository.'),
      project_name: z.string().default('service').describe('Its project.'),
      user_domain_name: z.string().default('Default'),
      project_domain_name: z.string().default('Default'),
      token_expiration: z.int().positive().default(3600).describe('Seconds a token lives.'),
      token_cache_time: z
        .int()
        .nonnegative()
        .default(300)
        .describe('Seconds a validation at an external Keystone is remembered.'),
      peer_regions: z
        .array(
          z.strictObject({
            region: z.string().min(1).describe('Its name.'),
            image_url: z.url().describe('URL of its image service, without a version.'),
          }),
        )
        .default([])
        .describe(
          'Other regions in the catalog of the own identity service, whose image services take its tokens (identity.mode keystone with this service as Keystone). glance-download fetches from them.',
        ),
    })
    .prefault({}),
  policy_file: z.string().optional().describe('YAML or JSON file with policy overrides.'),
  policy_dirs: names([], 'Folders whose files are laid over policy_file, in the order of their names.'),
  policy_default_rule: z.string().default('default').describe('Rule for names without one.'),
  enforce_new_defaults: z
    .boolean()
    .default(true)
    .describe('Only the current defaults; false adds the deprecated ones.'),
  property_protection_file: z.string().optional().describe('Property protections; none = off.'),
  property_protection_rule_format: z.enum(['roles', 'policies']).default('roles'),
  disable_by_file_path: z
    .string()
    .default('/etc/glance/healthcheck_disable')
    .describe('When this file exists the health check answers 503.'),
  signed_images: z
    .strictObject({
      key_manager: z
        .enum(KEY_MANAGERS)
        .default('secrets-manager')
        .describe(
          "Where certificates of signatures are: `files` (`npm start` only), AWS `secrets-manager`, or `barbican`, asked with the caller's token.",
        ),
      certificates_folder: z
        .string()
        .min(1)
        .default('certificates')
        .describe(
          'Of key_manager files: the folder with `{uuid}.pem`, PEM or DER; `certificates` in the data folder under `npm start`.',
        ),
      secret_prefix: z
        .string()
        .regex(/^[A-Za-z0-9/_+=.@-]{1,256}[/_.-]$/, 'letters, digits and /_+=.@-, and one of /_.- at its end')
        .default('glimpse/certificates/')
        .describe(
          'Of key_manager secrets-manager: the secret of a certificate is this and its uuid; functions may read no others.',
        ),
      barbican_endpoint: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe(
          'Of key_manager barbican: its URL without `/v1`; the catalog of the embedded identity service then lists it.',
        ),
      allow_conversion: z
        .boolean()
        .default(false)
        .describe(
          'Let plugins convert and unpack signed images, which then lose their signature: os_glance_signature says `dropped`. Else such plugins leave them alone.',
        ),
      trusted_certificates: z
        .array(z.string().max(1_048_576))
        .max(100)
        .default([])
        .describe(
          'Certificates as PEM, one text may hold several: self-signed ones are trusted, others lead to them. Needed for require_signature `trusted`.',
        ),
      require_signature: z
        .strictObject({
          public: SignatureRequirement,
          community: SignatureRequirement,
          shared: SignatureRequirement,
          private: SignatureRequirement,
        })
        .prefault({})
        .describe(
          'By visibility (`public`, `community`, `shared`, `private`) `never` (default); `always`: such images get bytes with a good signature only; `trusted`: with one whose certificate leads to trusted_certificates.',
        ),
    })
    .prefault({}),
  cors_allowed_origins: names([], 'Origins answered with CORS headers.'),
  allow_anonymous_access: z.boolean().default(false).describe('Requests without a token may read public data.'),
  upload_sessions: z
    .strictObject({
      ttl: z
        .int()
        .min(1)
        .max(720)
        .default(24)
        .describe('Hours after which an upload session ends that nobody asked for URLs (not of Glance).'),
    })
    .prefault({}),
});

export type Config = z.infer<typeof Config>;

/** A setting that cannot be used; `message` names the key, the value (unless it is secret) and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Checks a parsed configuration file.
 * @throws ConfigError with one line per wrong key.
 */
export function parseConfig(input: unknown): Config {
  const result = Config.safeParse(input);
  if (!result.success) throw new ConfigError(result.error.issues.map((issue) => problem(issue, input)).join('\n'));
  const config = result.data;
  refuseRepeats(
    config.stores.map((store) => store.id),
    'stores: id',
  );
  // Two stores in one bucket would sweep each other's copies.
  refuseRepeats(
    config.stores.map(({ bucket, endpoint }) => `${endpoint === undefined ? '' : `${endpoint}/`}${bucket}`),
    'stores: bucket',
  );
  const defaults = config.stores.filter((store) => store.default);
  if (defaults.length > 1)
    throw new ConfigError(`stores: ${defaults.map((s) => s.id).join(', ')} are all default; exactly one may be`);
  config.stores.forEach(checkAccess);
  checkPlugins(config);
  checkSignedImages(config);
  if (config.use_keystone_limits && config.identity.mode === 'keystone' && config.oslo_limit.endpoint_id === undefined)
    throw new ConfigError(
      'oslo_limit.endpoint_id: not set: needed for use_keystone_limits with identity.mode keystone',
    );
  return config;
}

function checkSignedImages({ signed_images }: Config): void {
  const { key_manager, barbican_endpoint, trusted_certificates, require_signature } = signed_images;
  if (key_manager === 'barbican' && barbican_endpoint === undefined)
    throw new ConfigError('signed_images.barbican_endpoint: not set: needed with key_manager barbican');
  try {
    certificatesOf(trusted_certificates);
  } catch (error) {
    throw new ConfigError(
      `signed_images.trusted_certificates: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const trusting = Object.entries(require_signature).find(([, required]) => required === 'trusted')?.[0];
  if (trusting !== undefined && trusted_certificates.length === 0)
    throw new ConfigError(
      `signed_images.trusted_certificates: empty: needed with require_signature.${trusting} trusted`,
    );
}

function checkPlugins({ image_import_plugins: plugins }: Config): void {
  const [introspection, decompression] = [
    plugins.indexOf('image_introspection'),
    plugins.indexOf('image_decompression'),
  ];
  if (introspection >= 0 && introspection < decompression)
    throw new ConfigError(
      'image_import_plugins: image_introspection before image_decompression: it would keep nothing of what is inside a compressed file',
    );
}

/** What the service itself may in AWS is nothing to show to anybody else's service; and where it may, it needs no keys. */
function checkAccess({ id, endpoint, credentials, credentials_secret, abilities }: StoreConfig): void {
  const own = { credentials, credentials_secret, abilities };
  if (endpoint === undefined) {
    const key = Object.entries(own).find(([, value]) => value !== undefined)?.[0];
    if (key !== undefined)
      throw new ConfigError(`stores: ${id}: ${key}: without endpoint: only for a service of its own`);
  } else if (credentials !== undefined && credentials_secret !== undefined)
    throw new ConfigError(`stores: ${id}: credentials: beside credentials_secret: one of them is enough`);
  else if (credentials === undefined && credentials_secret === undefined)
    throw new ConfigError(
      `stores: ${id}: credentials_secret: not set: a service of its own takes credentials of its own`,
    );
}

/** A folder of certificates is one machine's. @throws ConfigError in a stage */
export function refuseFolder({ signed_images }: Pick<Config, 'signed_images'>): void {
  if (signed_images.key_manager === 'files')
    throw new ConfigError(
      'signed_images.key_manager: files: for npm start only: a stage has no folder of yours: use secrets-manager, or barbican',
    );
}

/** For a file that is deployed, which many can read. @throws ConfigError */
export function refuseKeysInFile({ stores }: Pick<Config, 'stores'>): void {
  for (const { id, credentials } of stores) {
    if (credentials !== undefined)
      throw new ConfigError(
        `stores: ${id}: credentials: keys stand in no file of a stage: name a secret by credentials_secret`,
      );
  }
}

/** The store that takes images for which none is named: the one marked default, else the first. */
export function defaultStore(config: Config): StoreConfig {
  const store = config.stores.find((candidate) => candidate.default) ?? config.stores[0];
  if (store === undefined) throw new ConfigError('stores: at least one store is needed');
  return store;
}

function refuseRepeats(values: readonly string[], what: string): void {
  const repeated = values.find((value, at) => values.indexOf(value) !== at);
  if (repeated !== undefined) throw new ConfigError(`${what} "${repeated}" is used twice`);
}

/** Keys whose values are in no message. */
const SECRETS: ReadonlySet<PropertyKey> = new Set(['credentials', 'password']);

function problem(issue: z.core.$ZodIssue, input: unknown): string {
  const key = issue.path.join('.') || '(file)';
  const value = issue.path.reduce<unknown>(
    (at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step],
    input,
  );
  // Of an object the message names the key that is wrong, and its other values are no one's affair.
  const secret = issue.code === 'unrecognized_keys' || issue.path.some((step) => SECRETS.has(step));
  const shown = value === undefined ? 'not set' : secret ? '(not shown)' : JSON.stringify(value);
  return `${key}: ${shown}: ${issue.message}`;
}

/** Of a verb that settings change. */
export interface WithConfig {
  readonly config: Config;
}
