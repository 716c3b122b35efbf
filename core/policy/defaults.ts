/**
 * Glance's rule names, and our own under `glimpse:`, with their current and their deprecated defaults, as data (contract: policy.md section 2).
 * `deprecated` is OR-ed to the default while `enforce_new_defaults` is off and the operator's file does not name the rule.
 */
export interface RuleDefault {
  readonly check: string;
  readonly deprecated?: string;
  /** `project`: tokens of system or domain scope are refused before the rule is looked at. */
  readonly scope?: 'project';
}

const ADMIN = 'rule:context_is_admin';
const MEMBER = 'role:member and project_id:%(project_id)s';
const READER = 'role:reader and project_id:%(project_id)s';
const VISIBLE =
  "project_id:%(project_id)s or project_id:%(member_id)s or 'community':%(visibility)s or 'public':%(visibility)s or 'shared':%(visibility)s";

const adminOr = (check: string): string => `${ADMIN} or (${check})`;
const rule = (check: string, deprecated?: string) =>
  ({ check, scope: 'project', ...(deprecated === undefined ? {} : { deprecated }) }) as const;
/** Was open to everybody before the new defaults. */
const wasOpen = (check: string) => rule(check, 'rule:default');

const member = () => wasOpen(adminOr(MEMBER));
const seeMembers = () => wasOpen(`${ADMIN} or role:reader and (project_id:%(project_id)s or project_id:%(member_id)s)`);
const cache = () => rule(ADMIN, 'rule:manage_image_cache');
const readMetadefs = () =>
  rule(`${ADMIN} or (role:reader and (project_id:%(project_id)s or 'public':%(visibility)s))`, 'rule:metadef_default');
const writeMetadefs = () => rule('rule:metadef_admin');

export const RULES = {
  default: { check: '', deprecated: 'role:admin' },
  context_is_admin: { check: 'role:admin' },
  service_api: { check: 'role:service or role:admin' },

  add_image: wasOpen(adminOr(`${MEMBER} and project_id:%(owner)s`)),
  delete_image: member(),
  get_image: wasOpen(adminOr(`role:reader and (${VISIBLE})`)),
  get_images: wasOpen(adminOr(READER)),
  modify_image: member(),
  publicize_image: rule(ADMIN),
  communitize_image: member(),
  download_image: wasOpen(adminOr(`role:member and (${VISIBLE})`)),
  download_from_store: rule(adminOr(`role:member and (${VISIBLE})`)),
  upload_image: member(),
  delete_image_location: wasOpen(ADMIN),
  get_image_location: wasOpen(adminOr(READER)),
  set_image_location: member(),
  add_image_location: rule(`rule:service_api or (${MEMBER} and project_id:%(owner)s)`),
  fetch_image_location: rule('rule:service_api'),
  add_member: member(),
  delete_member: member(),
  get_member: seeMembers(),
  get_members: seeMembers(),
  modify_member: wasOpen(adminOr('role:member and project_id:%(member_id)s')),
  manage_image_cache: rule(ADMIN),
  deactivate: member(),
  reactivate: member(),
  copy_image: rule(ADMIN),
  list_cached_nodes: rule(ADMIN),
  cache_image: cache(),
  cache_list: cache(),
  cache_delete: cache(),
  cache_clean: rule(ADMIN),
  cache_prune: rule(ADMIN),
  stores_info_detail: rule(`${ADMIN} or rule:service_api`, ADMIN),
  tasks_api_access: rule(ADMIN),
  get_task: wasOpen('rule:default'),
  get_tasks: wasOpen('rule:default'),
  add_task: wasOpen('rule:default'),
  modify_task: wasOpen('rule:default'),

  'glimpse:get_imports': rule(adminOr(READER)),
  'glimpse:cancel_import': rule(adminOr(MEMBER)),
  'glimpse:retry_import': rule(adminOr(MEMBER)),
  'glimpse:get_leftovers': rule(ADMIN),

  metadef_default: { check: '' },
  metadef_admin: { check: ADMIN },
  get_metadef_namespaces: rule(adminOr(READER), 'rule:metadef_default'),
  get_metadef_namespace: readMetadefs(),
  get_metadef_object: readMetadefs(),
  get_metadef_objects: readMetadefs(),
  get_metadef_property: readMetadefs(),
  get_metadef_properties: readMetadefs(),
  get_metadef_tag: readMetadefs(),
  get_metadef_tags: readMetadefs(),
  list_metadef_resource_types: readMetadefs(),
  get_metadef_resource_type: readMetadefs(),
  add_metadef_namespace: writeMetadefs(),
  modify_metadef_namespace: writeMetadefs(),
  delete_metadef_namespace: writeMetadefs(),
  add_metadef_object: writeMetadefs(),
  modify_metadef_object: writeMetadefs(),
  delete_metadef_object: writeMetadefs(),
  add_metadef_property: writeMetadefs(),
  modify_metadef_property: writeMetadefs(),
  remove_metadef_property: writeMetadefs(),
  add_metadef_tag: writeMetadefs(),
  add_metadef_tags: writeMetadefs(),
  modify_metadef_tag: writeMetadefs(),
  delete_metadef_tag: writeMetadefs(),
  delete_metadef_tags: writeMetadefs(),
  add_metadef_resource_type_association: writeMetadefs(),
  remove_metadef_resource_type_association: writeMetadefs(),
} as const satisfies Record<string, RuleDefault>;

export type RuleName = keyof typeof RULES;

/** Nobody's image is not the image of a token without a project, though both are `None` to a rule. */
const owned = (by: 'owner' | 'member_id') => `${ADMIN} or (project_id:%(${by})s and not None:%(${by})s)`;

/**
 * What ownership means to a verb, besides its rule. With the current defaults the rule's own words say it (`project_id:%(…)s`), and an
 * operator may change them. The deprecated ones let anybody pass, and the original then checks in code: so while
 * `enforce_new_defaults` is off these hold as well, whatever an override says (policy.md section 1). A rule that is not here either
 * reads, or has no deprecated default and says the same in both modes.
 */
export const OWNERSHIP = {
  /** The record is made for the caller's own project; for nobody by a token without one. */
  add_image: `${ADMIN} or project_id:%(owner)s`,
  modify_image: owned('owner'),
  delete_image: owned('owner'),
  upload_image: owned('owner'),
  communitize_image: `${ADMIN} or project_id:%(owner)s`,
  deactivate: owned('owner'),
  reactivate: owned('owner'),
  set_image_location: owned('owner'),
  delete_image_location: owned('owner'),
  add_member: owned('owner'),
  delete_member: owned('owner'),
  /** The member itself answers, not who owns the image. */
  modify_member: owned('member_id'),
} as const satisfies Partial<Record<RuleName, string>>;
