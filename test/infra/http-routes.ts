/** Which function an HTTP API would call: its own matching rules over the routes of a graph. */
import { FUNCTIONS } from '../../workflows/topology.ts';
import { functionOf, ofType } from './graph.ts';
import type { Graph } from './synth/graph-types.ts';

/**
 * HTTP API developer guide, "Routing API requests": a full match goes before one with a greedy variable, the longest prefix before
 * shorter ones, and `$default` takes the rest.
 * @returns the function's name in workflows/topology.ts
 */
export function answeredBy(graph: Graph, method: string, path: string): string | undefined {
  const routes = ofType(graph, 'apigatewayv2/route:Route').map(({ inputs }) => ({
    key: String(inputs['routeKey']),
    target: String(inputs['target']),
  }));
  const matching = routes.filter(({ key }) => rank(key, method, path) > 0);
  const [best] = matching.toSorted((a, b) => rank(b.key, method, path) - rank(a.key, method, path));
  const integration = ofType(graph, 'apigatewayv2/integration:Integration').find(
    ({ id }) => best?.target === `integrations/${id}`,
  );
  return Object.keys(FUNCTIONS).find(
    (name) => functionOf(graph, name).state['arn'] === integration?.inputs['integrationUri'],
  );
}

/** 0: no match. `$default` 1; greedy 10 + length of the prefix; full 100,000. */
function rank(key: string, method: string, path: string): number {
  if (key === '$default') return 1;
  const [verb, pattern = ''] = key.split(' ');
  if (verb !== 'ANY' && verb !== method) return 0;
  if (pattern === path) return 100_000;
  const greedy = pattern.indexOf('/{proxy+}');
  if (greedy < 0 || !path.startsWith(`${pattern.slice(0, greedy)}/`)) return 0;
  return 10 + greedy;
}
