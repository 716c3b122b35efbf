import { describe, expect, test } from 'vitest';
import { answererOf, DIVISION, divisionOf, pathOf, pathPattern } from '../../../api/dispatch.ts';
import type { Route } from '../../../api/route.ts';
import { ROUTES } from '../../../api/routes.ts';

describe('who answers', () => {
  test.each(Object.entries<Route>(ROUTES))('%s is its own group’s, in every version', (_operation, { path, group }) => {
    const sent = path.replaceAll(/\{\w+\}/g, 'x');

    expect(answererOf(sent)).toBe(group);
    expect(answererOf(sent.replace(/^\/v2\//, '/v2.9/'))).toBe(group);
  });

  test.each([
    ['/', 'images'],
    ['/versions', 'images'],
    ['/v2', 'images'],
    ['/v2/', 'images'],
    ['/healthcheck', 'images'],
    ['/nothing', 'images'],
    ['/v3/metadefs/namespaces', 'images'],
    ['/v2/images//file', 'images'],
    ['/v2/images/x/file/', 'images'],
    ['/v2/images/x/tags/file', 'images'],
    ['/v2/images/x/members/stage', 'images'],
    ['/v2/metadefsx', 'images'],
    ['/identityx', 'images'],
    ['/identity/', 'identity'],
    ['/identity/v3/anything', 'identity'],
    ['/v2/metadefs', 'metadefs'],
    ['/v2/metadefs/anything', 'metadefs'],
  ])('%s is for %s', (path, group) => {
    expect(answererOf(path)).toBe(group);
  });

  test('is said by as few prefixes as there can be', () => {
    expect(DIVISION).toEqual({
      claims: [
        { prefix: '/identity', group: 'identity' },
        { prefix: '/v2/metadefs', group: 'metadefs' },
        { prefix: '/v2/schemas/metadefs', group: 'metadefs' },
      ],
      bytes: ['/v2/images/{id}/file', '/v2/images/{id}/stage'],
    });
  });

  test('refuses a table in which no prefix tells two groups apart', () => {
    const rows: Route[] = [
      { ...ROUTES.showImage, path: '/a/{id}' },
      { ...ROUTES.showNamespace, path: '/a/{name}' },
    ];

    expect(() => divisionOf(rows)).toThrow('no prefix leads to /a/{name} of group metadefs alone');
  });
});

test('the edge matches bytes of every version', () => {
  expect(DIVISION.bytes.map(pathPattern)).toEqual(['/v2*/images/*/file', '/v2*/images/*/stage']);
});

test.each([
  ['/a?b?c', '/a'],
  ['/a', '/a'],
  ['?b', ''],
])('the path of %s is "%s"', (target, path) => {
  expect(pathOf(target)).toBe(path);
});
