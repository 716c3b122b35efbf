/** The keys of an HTTP API, from who answers what (api/dispatch.ts). */
import { type Claim, divisionOf, inEveryVersion } from '../api/dispatch.ts';
import type { Route } from '../api/route.ts';

export interface RouteKey {
  /** `ANY /prefix`, `ANY /prefix/{proxy+}` or `$default`. */
  readonly key: string;
  readonly group: Claim['group'] | 'images';
}

/** Every key there is: an HTTP API may have 300 (API Gateway quotas), and a variable would take in what is no version. */
export function routeKeys(routes: readonly Route[]): RouteKey[] {
  return [
    ...divisionOf(routes).claims.flatMap(({ prefix, group }) =>
      inEveryVersion(prefix).flatMap((path) => [
        { key: `ANY ${path}`, group },
        { key: `ANY ${path}/{proxy+}`, group },
      ]),
    ),
    { key: '$default', group: 'images' },
  ];
}
