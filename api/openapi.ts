/** The API as an OpenAPI document, from the route table: for tools that make requests, clients or pages of it. */
import { z } from 'zod';
import { HTTP_STATUS, REASONS } from './errors.ts';
import { paramNames, type Route, type Settings } from './route.ts';
import { ROUTES } from './routes.ts';

/** A JSON value of the document. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** An OpenAPI 3.1 document: every route with its parameters, body, success and errors. `settings` decide what some bodies may say. */
export function openApi(settings: Settings): Json {
  const byPath = Map.groupBy(Object.entries<Route>(ROUTES), ([, { path }]) => path);
  const paths = [...byPath].map(([path, routes]): [string, Json] => [
    path,
    Object.fromEntries(routes.map(([name, route]) => [route.method.toLowerCase(), operation(name, route, settings)])),
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Glimpse',
      version: '2',
      description:
        'OpenStack Image API v2, the identity service that answers on one machine, and what Glimpse has besides.',
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: { token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' } },
      responses: Object.fromEntries(ERRORS.map((status) => [`E${status}`, errorResponse(status)])),
    },
  };
}

/** Every status of an error that this API knows. */
const ERRORS: readonly number[] = [...new Set(Object.values(HTTP_STATUS))].sort();

const errorResponse = (status: number): Json => ({
  description: REASONS[status] ?? 'Error',
  content: { 'text/html': {}, 'application/json': {}, 'text/plain': {} },
});

function operation(name: string, route: Route, settings: Settings): Json {
  const errors = ERRORS.filter(
    (status) => status !== 401 || route.auth === 'token' || route.path.startsWith('/identity'),
  );
  return {
    operationId: name,
    parameters: [...pathParameters(route), ...queryParameters(route, settings), ...headerParameters(route)],
    ...requestBody(route, settings),
    responses: {
      ...Object.fromEntries((route.also ?? []).map((status) => [status, success({ ...route, success: status })])),
      ...(route.success < 400 ? { [route.success]: success(route) } : {}),
      ...Object.fromEntries(errors.map((status) => [status, { $ref: `#/components/responses/E${status}` }])),
    },
    ...(route.auth === 'token' ? { security: [{ token: [] }] } : {}),
  };
}

const pathParameters = ({ path }: Route): Json[] =>
  paramNames(path).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string', minLength: 1 } }));

/** Query strings have their own grammar here: all that is sure of a value is that it is text. */
function queryParameters({ query }: Route, settings: Settings): Json[] {
  const names = schemaOf(query, settings)?.meta()?.['parameters'];
  return (Array.isArray(names) ? names : []).map((name) => ({
    name: String(name),
    in: 'query',
    schema: { type: 'string' },
  }));
}

function headerParameters({ headers }: Route): Json[] {
  if (!(headers instanceof z.ZodObject)) return [];
  return Object.keys(headers.shape)
    .filter((name) => name !== 'content-type')
    .map((name) => ({ name, in: 'header', schema: { type: 'string' } }));
}

function requestBody({ body, group, method, path }: Route, settings: Settings): { requestBody?: Json } {
  const schema = body === 'refused' ? undefined : schemaOf(body, settings);
  if (schema === undefined) return {};
  if (group === 'gateway') return { requestBody: { content: { 'application/octet-stream': {} } } };
  const isPatch = method === 'PATCH' && path.startsWith('/v2/images');
  const type = isPatch ? 'application/openstack-images-v2.1-json-patch' : 'application/json';
  return { requestBody: { required: true, content: { [type]: { schema: jsonSchema(schema) } } } };
}

function success({ answer, group, success: status }: Route): Json {
  const description = status === 204 ? 'Done' : 'Success';
  if (answer === undefined || status === 204) return { description };
  if (group === 'gateway') return { description, content: { 'application/octet-stream': {} } };
  return { description, content: { 'application/json': { schema: jsonSchema(answer) } } };
}

const schemaOf = (of: Route['query'], settings: Settings): z.ZodType | undefined =>
  typeof of === 'function' ? of(settings) : of;

/** What JSON Schema cannot say (transforms, custom checks) is left open. */
function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return JSON.parse(JSON.stringify(rest)) as Json;
}
