/**
 * From the route table to the keys of an HTTP API, as a pure function. One group answers whatever no other claims, so that unknown
 * paths, OPTIONS and HEAD get the service's own answers; every other group gets the shortest prefixes that are its alone.
 */
import type { Group, Route } from '../api/routes.ts';

export interface RouteKey {
  /** `ANY /prefix`, `ANY /prefix/{proxy+}` or `$default`. */
  readonly key: string;
  readonly group: Exclude<Group, 'gateway'>;
}

const DEFAULT_GROUP = 'images';

export function routeKeys(routes: readonly Route[]): RouteKey[] {
  const claimed = new Map<string, Exclude<Group, 'gateway'>>();
  for (const { path, group } of routes) {
    if (group === 'gateway' || group === DEFAULT_GROUP) continue;
    claimed.set(ownPrefix(path, group, routes), group);
  }
  return [
    ...[...claimed].flatMap(([prefix, group]) => [
      { key: `ANY ${prefix}`, group },
      { key: `ANY ${prefix}/{proxy+}`, group },
    ]),
    { key: '$default', group: DEFAULT_GROUP },
  ];
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
