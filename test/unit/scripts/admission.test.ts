import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { expect, it } from 'vitest';
import type { FunctionContext } from '../../../local/lambda/handler.ts';
import { createAdmission } from '../../../scripts/admission.ts';

const CONTEXT = {} as FunctionContext;
const from = (token: string): APIGatewayProxyEventV2 =>
  ({ headers: { 'x-auth-token': token }, requestContext: { http: { sourceIp: '127.0.0.1' } } }) as never;
const turns = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A handler that ends when it is told to. */
function held() {
  const working: { readonly token: string; readonly end: () => void }[] = [];
  const handler = (event: APIGatewayProxyEventV2): Promise<unknown> =>
    new Promise((resolve) => {
      working.push({ token: event.headers['x-auth-token'] ?? '', end: () => resolve({ statusCode: 200 }) });
    });
  return { working, handler };
}

it('works on so many at once, and on the next when one is done', async () => {
  const { working, handler } = held();
  const admitted = createAdmission({ atOnce: 3 })(handler);

  const answers = ['a', 'b', 'c', 'd'].map((token) => admitted(from(token), CONTEXT));
  await turns();
  expect(working.map(({ token }) => token)).toEqual(['a', 'b', 'c']);
  working[0]?.end();
  await answers[0];
  await turns();

  expect(working.map(({ token }) => token)).toEqual(['a', 'b', 'c', 'd']);
});

it('lets who asks little pass a crowd of one caller, over all handlers', async () => {
  const { working, handler } = held();
  const admit = createAdmission({ atOnce: 3 });

  for (let n = 0; n < 50; n++) void admit(handler)(from('crowd'), CONTEXT);
  void admit(handler)(from('one'), CONTEXT);
  await turns();

  expect(working.map(({ token }) => token)).toEqual(['crowd', 'crowd', 'one']);
});

it('answers 503 with Retry-After who waits too long, and gives his place to nobody', async () => {
  const { working, handler } = held();
  const admitted = createAdmission({ atOnce: 1, waitMs: 5 })(handler);
  const first = admitted(from('a'), CONTEXT);

  const refused = await admitted(from('b'), CONTEXT);
  working[0]?.end();

  expect(refused).toMatchObject({ statusCode: 503, headers: { 'retry-after': '30' } });
  expect(await first).toEqual({ statusCode: 200 });
  expect(working).toHaveLength(1);
});

it('gives the turn back when a handler throws', async () => {
  const admit = createAdmission({ atOnce: 1, waitMs: 5 });
  const failing = admit(() => Promise.reject(new Error('broken')));

  await expect(failing(from('a'), CONTEXT)).rejects.toThrow('broken');

  expect(await admit(() => ({ statusCode: 200 }))(from('a'), CONTEXT)).toEqual({ statusCode: 200 });
});
