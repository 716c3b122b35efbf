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
}

const image = (method: Method, path: string, success: number) =>
  ({ method, path, group: 'images', success, auth: 'token' }) as const;
const bytes = (method: Method, path: string, success: number) =>
  ({ method, path, group: 'gateway', success, auth: 'token' }) as const;

export const ROUTES = {
  createImage: image('POST', '/v2/images', 201),
  listImages: image('GET', '/v2/images', 200),
  showImage: image('GET', '/v2/images/{id}', 200),
  patchImage: image('PATCH', '/v2/images/{id}', 200),
  deleteImage: image('DELETE', '/v2/images/{id}', 204),
  downloadImage: bytes('GET', '/v2/images/{id}/file', 200),
  uploadImage: bytes('PUT', '/v2/images/{id}/file', 204),
  stageImage: bytes('PUT', '/v2/images/{id}/stage', 204),
  importImage: image('POST', '/v2/images/{id}/import', 202),
  listImageTasks: image('GET', '/v2/images/{id}/tasks', 200),
  showImportInfo: image('GET', '/v2/info/import', 200),
  showStoresInfo: image('GET', '/v2/info/stores', 200),
  showStoresDetail: image('GET', '/v2/info/stores/detail', 200),
} as const satisfies Record<string, Route>;

export type Operation = keyof typeof ROUTES;
/** The operations of one group: what a function file must implement, no more and no less. */
export type GroupOperations<G extends Group> = {
  [O in Operation]: (typeof ROUTES)[O]['group'] extends G ? O : never;
}[Operation];
