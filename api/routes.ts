/**
 * The only list of operations. Infra declares API Gateway routes from it, functions implement it, the client calls it, contract
 * tests walk it, the reference page is printed from it. Rows lie beside what they carry, in the folder of their resource.
 */
import { IDENTITY_ROUTES } from './identity/routes.ts';
import { IMAGE_ROUTES } from './images/routes.ts';
import { IMPORT_ROUTES } from './imports/routes.ts';
import { INFO_ROUTES } from './info/routes.ts';
import { MEMBER_ROUTES } from './members/routes.ts';
import { METADEF_ROUTES } from './metadefs/routes.ts';
import type { Group, Route } from './route.ts';
import { SCHEMA_ROUTES } from './schemas/routes.ts';
import { TASK_ROUTES } from './tasks/routes.ts';
import { UPLOAD_ROUTES } from './uploads/routes.ts';

export const ROUTES = {
  ...IMAGE_ROUTES,
  ...MEMBER_ROUTES,
  ...INFO_ROUTES,
  ...TASK_ROUTES,
  ...IMPORT_ROUTES,
  ...UPLOAD_ROUTES,
  ...SCHEMA_ROUTES,
  ...IDENTITY_ROUTES,
  ...METADEF_ROUTES,
} as const satisfies Record<string, Route>;

export type Operation = keyof typeof ROUTES;
/** The operations of one group: what a function file must implement, no more and no less. */
export type GroupOperations<G extends Group> = {
  [O in Operation]: (typeof ROUTES)[O]['group'] extends G ? O : never;
}[Operation];
