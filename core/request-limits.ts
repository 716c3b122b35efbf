/**
 * What one request may hold, whatever it asks for and whoever sends it. Settings may allow a project any number of properties or
 * tags; these bounds keep a single request from costing more than its share. They are checked while it is read.
 */
import { LimitExceeded } from './errors.ts';

/** Bytes of a JSON body. The largest that means something, a namespace with all its definitions, has some hundred KiB. */
export const BODY_BYTES = 4 * 1024 * 1024;
/** Levels of a JSON body; the deepest that means something has seven. */
export const BODY_DEPTH = 64;
/** Values of a JSON body, objects and arrays among them. */
export const BODY_VALUES = 50_000;
/** Operations of one PATCH: each property, tag list and attribute of an image many times over. */
export const PATCH_OPERATIONS = 5_000;
/** Locations that one PATCH names: a store is asked for each. */
export const PATCH_LOCATIONS = 100;
/** Conditions of one listing. A query string holds little more. */
export const FILTERS = 100;
/** Values of one `in:` condition: what identifiers fill a query string with. */
export const FILTER_VALUES = 300;

/** @throws LimitExceeded naming what there is too much of */
export function refuseMore(what: string, count: number, limit: number): void {
  if (count > limit) throw new LimitExceeded(`${what}: at most ${limit} are allowed, the request has ${count}`);
}
