import { expect, it } from 'vitest';
import { openApi } from '../../../api/openapi.ts';
import type { Route } from '../../../api/route.ts';
import { ROUTES } from '../../../api/routes.ts';
import { parseConfig } from '../../../core/config.ts';

interface Document {
  readonly paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>;
  readonly components: { readonly responses: Record<string, unknown> };
}

const document = openApi(parseConfig({ stores: [{ id: 'any', bucket: 'any' }] })) as unknown as Document;

it.each(Object.entries<Route>(ROUTES))(
  '%s is in the OpenAPI document with its success and its errors',
  (name, route) => {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()];

    expect(operation).toMatchObject({ operationId: name });
    const statuses = Object.keys(operation?.responses ?? {}).map(Number);
    expect(statuses).toEqual(expect.arrayContaining([route.success, 400, 404, 503]));
    expect(statuses.includes(401)).toBe(route.auth === 'token' || route.path.startsWith('/identity'));
  },
);

it('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/responses\/(\w+)"/g)];

  expect(references.length).toBeGreaterThan(100);
  for (const [, name = ''] of references) expect(document.components.responses).toHaveProperty(name);
});
