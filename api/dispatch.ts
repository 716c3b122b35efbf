/**
 * Who answers a path, read from the route table: the one answer for the front door, the gateway, the HTTP API's route keys and the
 * edge's behaviours. Image bytes have paths of their own; every other group has the shortest prefixes that are its alone; what nobody
 * claims, known or not, is the image API's, so that unknown paths, OPTIONS and HEAD get the service's own answers.
 */
import type { Group, Route } from './route.ts';
import { ROUTES } from './routes.ts';
import { selectVersion, VERSION_SEGMENTS } from './versions.ts';

const DEFAULT_GROUP = 'images';

/** That a prefix, and everything below it, is one group's. */
export interface Claim {
  /** Literal segments, no slash at the end. */
  readonly prefix: string;
  readonly group: Exclude<Group, 'gateway' | typeof DEFAULT_GROUP>;
}

/** The claims of a table, and the paths of its bytes. @throws Error for a group whose path no prefix tells from another's */
export function divisionOf(routes: readonly Route[]): {
  readonly claims: readonly Claim[];
  readonly bytes: readonly string[];
} {
  const claims = new Map<string, Claim['group']>();
  const bytes = new Set<string>();
  for (const { path, group } of routes) {
    if (group === 'gateway') bytes.add(path);
    else if (group !== DEFAULT_GROUP) claims.set(ownPrefix(path, group, routes), group);
  }
  return { claims: [...claims].map(([prefix, group]) => ({ prefix, group })), bytes: [...bytes] };
}

/** The shortest run of leading literal segments of `path` under which no other group has a route. */
function ownPrefix(path: string, group: Group, routes: readonly Route[]): string {
  const segments = path.split('/').slice(1);
  for (let length = 1; length <= segments.length; length++) {
    const prefix = segments.slice(0, length);
    if (prefix.at(-1)?.startsWith('{') === true) break;
    const others = routes.filter((route) => route.group !== group && isUnder(route.path, prefix));
    if (others.length === 0) return `/${prefix.join('/')}`;
  }
  throw new Error(`api/routes.ts: no prefix leads to ${path} of group ${group} alone`);
}

const isUnder = (path: string, prefix: readonly string[]): boolean => {
  const segments = path.split('/').slice(1);
  return prefix.every((segment, at) => segments[at] === segment || segments[at]?.startsWith('{') === true);
};

export const DIVISION = divisionOf(Object.values(ROUTES));

const BYTES = DIVISION.bytes.map((path) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`));

/** The group that answers a path of any version, as a client sends it, without its query. */
export function answererOf(path: string): Group {
  const selected = selectVersion(path, undefined);
  const asked = selected.kind === 'api' ? selected.path : path;
  if (BYTES.some((pattern) => pattern.test(asked))) return 'gateway';
  return (
    DIVISION.claims.find(({ prefix }) => asked === prefix || asked.startsWith(`${prefix}/`))?.group ?? DEFAULT_GROUP
  );
}

/** A prefix of the table in each version, for a front that compares segments as they are sent. */
export const inEveryVersion = (prefix: string): readonly string[] =>
  prefix.startsWith('/v2/') ? VERSION_SEGMENTS.map((version) => prefix.replace('v2', version)) : [prefix];

/** A path of the table as CloudFront matches it, for every minor version: `/v2*` stands for both `/v2` and `/v2.9`. */
export const pathPattern = (path: string): string => path.replace(/^\/v2\//, '/v2*/').replaceAll(/\{\w+\}/g, '*');

/** The path of a request target. */
export const pathOf = (target: string): string => target.split('?', 1)[0] ?? '';
