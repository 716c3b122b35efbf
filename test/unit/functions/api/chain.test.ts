import { expect, it } from 'vitest';
import { errorAnswer } from '../../../../api/errors.ts';
import { keystoneError } from '../../../../api/identity/errors.ts';
import { createChain, type Dialect } from '../../../../functions/api/chain.ts';
import { proxyEvent } from '../../../support/identity.ts';

const DIALECTS: readonly (readonly [string, Dialect['refusal']])[] = [
  ['the image service', (error) => errorAnswer(error, {})],
  ['the identity service', (error) => keystoneError(error, 'http://identity')],
];

it.each(DIALECTS)('asks for another try when the time of the function is nearly over: %s', async (_, refusal) => {
  const chain = createChain({
    idOf: () => 'req-1',
    refusal,
    answer: () => new Promise(() => undefined),
    finish: (answer) => answer,
  });

  const answer = await chain(proxyEvent('DELETE', '/v2/images/x'), { getRemainingTimeInMillis: () => 150 });

  expect(answer).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } });
});
