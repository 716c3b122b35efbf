import { expect, test } from 'vitest';
import { healthAnswer } from '../../../api/health.ts';

const REASON = 'DISABLED BY <FILE>';

test.each([
  ['GET', undefined, 'text/plain; charset=UTF-8', REASON],
  ['GET', 'application/json', 'application/json', JSON.stringify({ detailed: false, reasons: [REASON] })],
  ['GET', 'text/html', 'text/html; charset=UTF-8', expect.stringContaining('<h1>DISABLED BY &lt;FILE&gt;</h1>')],
  ['HEAD', undefined, undefined, ''],
])('%s of a disabled node, Accept %s: 503', (method, accept, contentType, body) => {
  const answer = healthAnswer(method, accept, REASON);

  expect([answer.statusCode, answer.contentType, answer.body]).toEqual([503, contentType, body]);
});
