/**
 * From method and path to an operation (contract: README.md "Complete endpoint table"). A path comes as it stands in a URL and is
 * decoded once, segment by segment; a segment that holds an encoded slash matches nothing, neither does a trailing slash.
 */
import { MethodNotAllowed, NotFound, NotImplemented } from '../core/errors.ts';
import type { Route } from './route.ts';

export interface Match<O extends string> {
  readonly operation: O;
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Node<O extends string> {
  readonly literal: Map<string, Node<O>>;
  parameter?: Node<O>;
  readonly methods: Map<string, { operation: O; route: Route; names: readonly string[] }>;
}

/** Paths whose other methods are unknown rather than refused (no 405 fallback in the original). */
const WITHOUT_FALLBACK = new Set(['/v2/images/{id}/tasks', '/v2/info/usage']);
/** What HTTP clients use; anything else is no method of any resource. */
export const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']);

/** Builds the matcher of a route table; `match` throws NotFound or MethodNotAllowed (with the methods there are). */
export function createRouter<O extends string>(
  routes: Readonly<Record<O, Route>>,
): { match(method: string, path: string): Match<O> } {
  const root: Node<O> = newNode();
  // The keys of a Record<O, …> are O; the library types them as strings because an object may have more keys than its type.
  for (const [operation, route] of Object.entries(routes) as [O, Route][]) addRoute(root, operation, route);
  return {
    match(method, path) {
      const values: string[] = [];
      const node = find(root, segmentsOf(path), values);
      if (node === undefined || node.methods.size === 0) throw unknownPath(method);
      const found = node.methods.get(method);
      if (found === undefined) throw refusal(node, method);
      const params = Object.fromEntries(found.names.map((name, at) => [name, values[at] ?? '']));
      return { operation: found.operation, route: found.route, params };
    },
  };
}

function newNode<O extends string>(): Node<O> {
  return { literal: new Map(), methods: new Map() };
}

function addRoute<O extends string>(root: Node<O>, operation: O, route: Route): void {
  const names: string[] = [];
  let node = root;
  for (const segment of route.path.split('/').slice(1)) {
    if (segment.startsWith('{')) {
      names.push(segment.slice(1, -1));
      node.parameter ??= newNode();
      node = node.parameter;
    } else {
      const next = node.literal.get(segment) ?? newNode<O>();
      node.literal.set(segment, next);
      node = next;
    }
  }
  node.methods.set(route.method, { operation, route, names });
}

function find<O extends string>(node: Node<O>, segments: readonly string[], values: string[]): Node<O> | undefined {
  const [segment, ...rest] = segments;
  if (segment === undefined) return node;
  const literal = node.literal.get(segment);
  if (literal !== undefined) return find(literal, rest, values);
  if (node.parameter === undefined || segment === '') return undefined;
  values.push(segment);
  return find(node.parameter, rest, values);
}

function segmentsOf(path: string): string[] {
  return path.split('/').slice(1).map(decodeSegment);
}

/** @throws NotFound for what is no UTF-8 or would be more than one segment. */
function decodeSegment(segment: string): string {
  try {
    const decoded = segment.includes('%') ? decodeURIComponent(segment) : segment;
    if (!decoded.includes('/')) return decoded;
  } catch {
    // not UTF-8: no resource has such a name
  }
  throw new NotFound('The resource could not be found.');
}

/** Where nothing answers, a method that HTTP clients do not use is not implemented rather than not found. */
function unknownPath(method: string): Error {
  return METHODS.has(method)
    ? new NotFound('The resource could not be found.')
    : new NotImplemented(`The method ${method} is not implemented.`);
}

function refusal<O extends string>(node: Node<O>, method: string): Error {
  const path = [...node.methods.values()][0]?.route.path ?? '';
  if (WITHOUT_FALLBACK.has(path)) return unknownPath(method);
  return new MethodNotAllowed('The method is not allowed for this resource.', [...node.methods.keys()]);
}
