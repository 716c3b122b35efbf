import { describe, expect, test } from 'vitest';
import { corsHeaders } from '../../../api/cors.ts';
import { errorAnswer, HTTP_STATUS } from '../../../api/errors.ts';
import { requestIdOf } from '../../../api/request-id.ts';
import { violation } from '../../../api/schemas/definition.ts';
import {
  BackendUnavailable,
  InvalidInput,
  MethodNotAllowed,
  NotFound,
  Throttled,
  TooManyRequests,
  Unauthenticated,
} from '../../../core/errors.ts';

describe('errors on the wire', () => {
  test('text, HTML and JSON as the original writes them', () => {
    const answer = (accept?: string) => errorAnswer(new NotFound('no <image>'), { accept });
    expect(answer().body).toBe('404 Not Found\n\nno <image>\n\n   ');
    expect(answer('*/*').body).toBe(
      '<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  no &lt;image&gt;<br /><br />\n\n\n\n </body>\n</html>',
    );
    expect(JSON.parse(answer('application/json').body)).toEqual({
      error: { code: 404, title: 'Not Found', message: 'no <image>' },
    });
  });

  test('an empty Accept, as openstacksdk sends it with patches, gets HTML, the only text it shows', () => {
    expect(errorAnswer(new NotFound('no image'), { accept: '' }).headers['content-type']).toMatch('text/html');
  });

  test('quotes stay readable for clients that strip tags and decode nothing', () => {
    expect(errorAnswer(new NotFound(`it's "gone" & <b>`), { accept: '*/*' }).body).toContain(
      `it's "gone" &amp; &lt;b&gt;`,
    );
  });

  test('what is not ours says nothing of the inside', () => {
    const answer = errorAnswer(new TypeError('secret path /etc/x'));
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(errorAnswer('text').statusCode).toBe(500);
  });

  test('headers of 401, 405 and 429', () => {
    expect(errorAnswer(new Unauthenticated('x'), { identityUrl: 'http://i' }).headers['www-authenticate']).toBe(
      'Keystone uri="http://i"',
    );
    expect(errorAnswer(new MethodNotAllowed('x', ['GET', 'PUT'])).headers['allow']).toBe('GET, PUT');
    expect(errorAnswer(new TooManyRequests('x', 7)).headers['retry-after']).toBe('7');
    for (const error of [new Throttled('x'), new BackendUnavailable('x')])
      expect(errorAnswer(error).headers['retry-after']).toBe('2');
  });

  test('every kind has a status of 4xx or 5xx', () => {
    for (const status of Object.values(HTTP_STATUS)) expect(status).toBeGreaterThanOrEqual(400);
    expect(errorAnswer(new InvalidInput('x')).statusCode).toBe(400);
  });
});

test('request ids are adopted, prefixed, cleaned, limited', () => {
  const make = (sent: string | undefined) => requestIdOf(sent, 10, () => 'new');
  expect(make(undefined)).toBe('req-new');
  expect(make('')).toBe('req-new');
  expect(make('req-a')).toBe('req-a');
  expect(make('ab\r\nc')).toBe('req-abc');
  expect(() => make('x'.repeat(11))).toThrow('11 characters');
});

test('CORS headers are for allowed origins', () => {
  expect(corsHeaders(undefined, ['*'], false)).toEqual({});
  expect(corsHeaders('http://a', ['http://b'], true)).toEqual({});
  expect(corsHeaders('http://a', ['*'], false)['access-control-allow-origin']).toBe('http://a');
});

describe('schema check', () => {
  test.each([
    [{ type: 'integer' }, 1.0, true],
    [{ type: 'integer' }, 1.5, false],
    [{ type: 'integer' }, true, false],
    [{ type: ['null', 'string'] }, null, true],
    [{ type: 'string', maxLength: 2 }, 'üü', true],
    [{ type: 'string', maxLength: 2 }, 'abc', false],
    [{ type: 'string', minLength: 2 }, 'a', false],
    [{ type: 'string', enum: ['a'] }, 'b', false],
    [{ type: 'string', pattern: '^a$' }, 'b', false],
    [{ type: 'array', items: { type: 'string' } }, ['a', 1], false],
    [{ type: 'object', required: ['a'] }, {}, false],
    [{ type: 'object', additionalProperties: false }, { a: 1 }, false],
    [{ type: 'object', additionalProperties: { type: 'string' } }, { a: 1 }, false],
    [{ type: 'object', properties: { a: { type: 'string' } } }, { a: 1 }, false],
    [{ type: 'object' }, [], false],
  ] as const)('%j takes %j: %s', (definition, value, fits) => {
    expect(violation(definition, value) === undefined).toBe(fits);
  });

  test('messages stay short', () => {
    expect(violation({ type: 'integer' }, 'x'.repeat(10_000))?.length).toBeLessThan(150);
  });
});
