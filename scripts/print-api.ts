/** `npm run docs:api`: the operations and the errors of the API, printed from the route table and the error map. */
import { HTTP_STATUS, REASONS } from '../api/errors.ts';
import type { Group, Route } from '../api/route.ts';
import { ROUTES } from '../api/routes.ts';
import { parseConfig } from '../core/config.ts';
import { code, markdownTable, type PrintedSection, printSections } from './printed-section.ts';

const PAGE = 'docs/api.md';

/** The printed sections of the API page. */
export function apiSections(): PrintedSection[] {
  return [
    { page: PAGE, name: 'operations', text: operations() },
    { page: PAGE, name: 'errors', text: errors() },
  ];
}

function operations(): string {
  const byResource = Map.groupBy(Object.entries<Route>(ROUTES), ([, { path }]) => resourceOf(path));
  return [...byResource].map(([resource, rows]) => `### ${code(resource)}\n\n${operationsTable(rows)}`).join('\n\n');
}

/** What a path is about: `/v2/images`, or all of `/identity`. */
function resourceOf(path: string): string {
  const segments = path.split('/');
  return segments.slice(0, segments[1] === 'identity' ? 2 : 3).join('/');
}

const ANSWERED_BY: Readonly<Record<Group, string>> = {
  images: 'function `api-images`',
  identity: 'function `api-identity`',
  metadefs: 'function `api-metadefs`',
  gateway: 'gateway',
};

function operationsTable(routes: readonly (readonly [string, Route])[]): string {
  const rows = routes.map(([name, { method, path, success, auth, body, group, query }]) => [
    code(`${method} ${path}`),
    name,
    String(success),
    ANSWERED_BY[group],
    [auth === 'none' ? 'no token' : '', bodyWord(body, group), ...parameters(query)].filter(Boolean).join(', '),
  ]);
  return markdownTable(['Request', 'Operation', 'Success', 'Answered by', 'Takes'], rows);
}

function bodyWord(body: Route['body'], group: Group): string {
  if (body === undefined) return '';
  if (body === 'refused') return 'no body';
  return group === 'gateway' ? 'bytes' : 'JSON';
}

/** Names of query parameters, as api/query.ts keeps them. */
function parameters(query: Route['query']): string[] {
  const schema = typeof query === 'function' ? query(parseConfig({ stores: [{ id: 'any', bucket: 'any' }] })) : query;
  const names = schema?.meta()?.['parameters'];
  return Array.isArray(names) ? names.map((name) => code(`?${name}`)) : [];
}

function errors(): string {
  const byStatus = Map.groupBy(Object.entries(HTTP_STATUS), ([, status]) => status);
  const rows = [...byStatus]
    .toSorted(([a], [b]) => a - b)
    .map(([status, kinds]) => [`${status} ${REASONS[status] ?? ''}`, kinds.map(([kind]) => code(kind)).join(', ')]);
  return markdownTable(['Status', 'Kinds'], rows);
}

if (import.meta.main) await printSections(apiSections());
