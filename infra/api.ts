/** The HTTP API. Which group answers a path follows from api/routes.ts. */
import type { Group } from '../api/route.ts';
import { ROUTES } from '../api/routes.ts';
import { functions } from './functions.ts';
import { type RouteKey, routeKeys } from './route-keys.ts';
import { sizes } from './stage.ts';

export const api = new sst.aws.ApiGatewayV2('Api', {
  // The handlers answer CORS themselves: the API's own would answer OPTIONS before them, for every origin.
  cors: false,
  accessLog: { retention: sizes.logRetention },
  transform: {
    api: { corsConfiguration: undefined },
    stage: (args) => {
      args.defaultRouteSettings = {
        throttlingRateLimit: sizes.throttle.rate,
        throttlingBurstLimit: sizes.throttle.burst,
        detailedMetricsEnabled: true,
      };
    },
  },
});

const ENTRY = {
  images: 'api-images',
  identity: 'api-identity',
  metadefs: 'api-metadefs',
} as const satisfies Record<Exclude<Group, 'gateway'>, keyof typeof functions>;

const keys = Object.groupBy(routeKeys(Object.values(ROUTES)), ({ group }) => group);
for (const [group, [first, ...others]] of Object.entries(keys) as [keyof typeof ENTRY, [RouteKey, ...RouteKey[]]][]) {
  const { integration } = api.route(
    first.key,
    functions[ENTRY[group]].arn as $util.Output<`arn:aws:lambda:${string}`>,
    { transform: { integration: { payloadFormatVersion: '2.0' } } },
  ).nodes;
  // A route of SST's own has a permission of its own, and those of a function may have 20 KB together.
  for (const { key } of others)
    new aws.apigatewayv2.Route(`ApiRoute ${key}`.replaceAll(/\W+/g, '-'), {
      apiId: api.nodes.api.id,
      routeKey: key,
      target: $interpolate`integrations/${integration.id}`,
    });
}
