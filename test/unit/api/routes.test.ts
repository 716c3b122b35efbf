import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { paramNames, type Route } from '../../../api/route.ts';
import { createRouter } from '../../../api/router.ts';
import { ROUTES } from '../../../api/routes.ts';
import { ImageServiceError } from '../../../core/errors.ts';

const router = createRouter(ROUTES);

describe('the route table', () => {
  test.each(Object.entries(ROUTES))('%s finds itself', (operation, { method, path }) => {
    const match = router.match(method, path.replaceAll(/\{(\w+)\}/g, '-$1-'));

    expect(match.operation).toBe(operation);
    for (const [name, value] of Object.entries(match.params)) expect(value).toBe(`-${name}-`);
  });

  test.each(Object.entries<Route>(ROUTES))('%s reads the parameters of its path', (_operation, { path, params }) => {
    const given = Object.fromEntries(paramNames(path).map((name) => [name, `-${name}-`]));

    expect(params.parse(given)).toEqual(given);
    for (const name of paramNames(path)) expect(params.safeParse({ ...given, [name]: 1 }).success).toBe(false);
    expect(path.match(/\{/g) ?? []).toHaveLength(paramNames(path).length);
  });

  test('has no two operations on one method and path', () => {
    const seen = Object.values(ROUTES).map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('says which image operations there are', () => {
    const rows = Object.entries(ROUTES)
      .filter(([, route]) => route.group === 'images' || route.group === 'gateway')
      .map(([operation, { method, path, success }]) => `${operation}: ${method} ${path} ${success}`);
    expect(rows).toMatchSnapshot();
  });
});

describe('matching', () => {
  test('decodes a segment once', () => {
    expect(router.match('PUT', '/v2/images/a/tags/%2541%20%C3%BC').params['tag']).toBe('%41 ü');
  });

  test('answers any path with a match or an error of ours', () => {
    const paths = fc.oneof(
      fc.webPath(),
      fc.string().map((text) => `/v2/images/${text}`),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.constantFrom('GET', 'POST', 'BREW', '__proto__'), paths, (method, path) => {
        try {
          expect(ROUTES).toHaveProperty(router.match(method, path).operation);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageServiceError);
        }
      }),
    );
  });
});
