import { IDENTITY_ROUTES } from './identity/routes.ts';
import { METADEF_ROUTES } from './metadefs/routes.ts';

/**
 * The only list of operations. Infra declares API Gateway routes from it, functions implement it, contract tests walk it,
 * the reference page is printed from it. Paths are as a client sends them; `{name}` is one decoded segment.
 */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
/** Which entry point answers: a Lambda group, or the streaming gateway for image bytes. */
export type Group = 'images' | 'identity' | 'metadefs' | 'gateway';

export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly group: Group;
  readonly success: number;
  /** `none`: before authentication. `token`: any valid token, policy decides the rest. */
  readonly auth: 'none' | 'token';
  /** `refused`: a body is answered with 400. Otherwise operations read it or ignore it. */
  readonly body?: 'refused';
}

const image = (method: Method, path: string, success: number) =>
  ({ method, path, group: 'images', success, auth: 'token' }) as const;
const bodiless = (method: Method, path: string, success: number) =>
  ({ ...image(method, path, success), body: 'refused' }) as const;
const bytes = (method: Method, path: string, success: number) =>
  ({ method, path, group: 'gateway', success, auth: 'token' }) as const;

export const ROUTES = {
  createImage: image('POST', '/v2/images', 201),
  listImages: image('GET', '/v2/images', 200),
  showImage: bodiless('GET', '/v2/images/{id}', 200),
  patchImage: image('PATCH', '/v2/images/{id}', 200),
  deleteImage: bodiless('DELETE', '/v2/images/{id}', 204),
  deactivateImage: bodiless('POST', '/v2/images/{id}/actions/deactivate', 204),
  reactivateImage: bodiless('POST', '/v2/images/{id}/actions/reactivate', 204),
  downloadImage: bytes('GET', '/v2/images/{id}/file', 200),
  uploadImage: bytes('PUT', '/v2/images/{id}/file', 204),
  stageImage: bytes('PUT', '/v2/images/{id}/stage', 204),
  importImage: image('POST', '/v2/images/{id}/import', 202),
  listImageTasks: bodiless('GET', '/v2/images/{id}/tasks', 200),
  listLocations: image('GET', '/v2/images/{id}/locations', 200),
  addLocation: image('POST', '/v2/images/{id}/locations', 202),
  addTag: bodiless('PUT', '/v2/images/{id}/tags/{tag}', 204),
  deleteTag: bodiless('DELETE', '/v2/images/{id}/tags/{tag}', 204),
  listMembers: bodiless('GET', '/v2/images/{id}/members', 200),
  addMember: image('POST', '/v2/images/{id}/members', 200),
  showMember: bodiless('GET', '/v2/images/{id}/members/{member}', 200),
  updateMember: image('PUT', '/v2/images/{id}/members/{member}', 200),
  deleteMember: bodiless('DELETE', '/v2/images/{id}/members/{member}', 204),
  deleteStoreCopy: bodiless('DELETE', '/v2/stores/{store}/{id}', 204),
  showImportInfo: bodiless('GET', '/v2/info/import', 200),
  showStoresInfo: bodiless('GET', '/v2/info/stores', 200),
  showStoresDetail: bodiless('GET', '/v2/info/stores/detail', 200),
  showUsage: image('GET', '/v2/info/usage', 200),
  createTask: image('POST', '/v2/tasks', 201),
  listTasks: image('GET', '/v2/tasks', 200),
  showTask: image('GET', '/v2/tasks/{id}', 200),
  /** Tasks cannot be deleted; who may not use them at all hears that first. */
  deleteTask: image('DELETE', '/v2/tasks/{id}', 405),
  showImageSchema: bodiless('GET', '/v2/schemas/image', 200),
  showImagesSchema: bodiless('GET', '/v2/schemas/images', 200),
  showMemberSchema: bodiless('GET', '/v2/schemas/member', 200),
  showMembersSchema: bodiless('GET', '/v2/schemas/members', 200),
  showTaskSchema: image('GET', '/v2/schemas/task', 200),
  showTasksSchema: image('GET', '/v2/schemas/tasks', 200),
  ...IDENTITY_ROUTES,
  ...METADEF_ROUTES,
} as const satisfies Record<string, Route>;

export type Operation = keyof typeof ROUTES;
/** The operations of one group: what a function file must implement, no more and no less. */
export type GroupOperations<G extends Group> = {
  [O in Operation]: (typeof ROUTES)[O]['group'] extends G ? O : never;
}[Operation];
