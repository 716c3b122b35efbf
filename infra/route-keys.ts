/** The keys of an HTTP API, from who answers what (api/dispatch.ts). */
import { type Claim, divisionOf } from '../api/dispatch.ts';
import type { Route } from '../api/route.ts';

export interface RouteKey {
  /** `ANY /prefix`, `ANY /prefix/{proxy+}` or `$default`. */
  readonly key: string;
  readonly group: Claim['group'] | 'images';
}

export function routeKeys(routes: readonly Route[]): RouteKey[] {
  return [
    ...divisionOf(routes).claims.flatMap(({ prefix, group }) => [
      { key: `ANY ${prefix}`, group },
      { key: `ANY ${prefix}/{proxy+}`, group },
    ]),
    { key: '$default', group: 'images' },
  ];
}
