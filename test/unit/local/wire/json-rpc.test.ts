import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../../local/wire/aws-error.ts';
import { answerJson, type JsonService, type Operation, splitTarget } from '../../../../local/wire/json-rpc.ts';

const service = (operations: Record<string, Operation>): JsonService => ({
  target: 'Test_1',
  version: '1.1',
  operations: new Map(Object.entries(operations)),
  bodyLimit: 100,
});
const ask = async (operation: string, body: string, operations: Record<string, Operation>) => {
  const { status, headers, text } = await answerJson(service(operations), operation, Buffer.from(body));
  return { status, headers, body: JSON.parse(text) as object };
};

it.each([
  ['AWSEvents.PutEvents', { service: 'AWSEvents', operation: 'PutEvents' }],
  ['a.b.C', { service: 'a.b', operation: 'C' }],
])('the target %s names %j', (target, named) => {
  expect(splitTarget(target)).toEqual(named);
});

describe('an answer', () => {
  it('is what the operation gives, as the protocol has it', async () => {
    const answer = await ask('Echo', '{"a":1}', { Echo: (input) => ({ got: input }) });

    expect(answer).toMatchObject({ status: 200, body: { got: { a: 1 } } });
    expect(answer.headers['content-type']).toBe('application/x-amz-json-1.1');
    expect(answer.headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/u);
  });

  it.each([
    ['no body', '', (input: object) => input, {}],
    ['no result', '{}', () => undefined, {}],
  ])('is an object for %s', async (_what, body, run, result) => {
    expect((await ask('Run', body, { Run: run })).body).toEqual(result);
  });

  it.each([
    ['[', /^the body is not JSON: SyntaxError/u],
    ['[]', /^the body is not a JSON object$/u],
    ['null', /^the body is not a JSON object$/u],
  ])('is a refusal of the body %s', async (body, message) => {
    const answer = await ask('Run', body, { Run: () => ({}) });

    expect(answer).toMatchObject({ status: 400, body: { __type: 'SerializationException' } });
    expect((answer.body as { message: string }).message).toMatch(message);
  });

  it('is a refusal of an operation that is not there', async () => {
    expect(await ask('Other', '{}', {})).toMatchObject({
      status: 400,
      body: { __type: 'UnknownOperationException', message: 'Test_1 has no operation Other here' },
    });
  });

  it('is an error with its status and details', async () => {
    const run = () => {
      throw new AwsError('Conflict', 'no', 409, { Item: { a: 1 } });
    };

    expect(await ask('Run', '{}', { Run: run })).toMatchObject({
      status: 409,
      body: { __type: 'Conflict', message: 'no', Item: { a: 1 } },
    });
  });
});
