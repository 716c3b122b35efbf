import { Readable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { readNatively } from '../../../../aws/dynamodb/native-answers.ts';

const TEXT = JSON.stringify({ Item: { pk: { S: 'a' }, n: { N: '7' } }, Unheard: 'of' });
const ITEM = { pk: 'a', n: 7 };

/** A client whose service answers every request with `body`. */
function answering(body: () => unknown): { plain: DynamoDBClient; documents: DynamoDBDocumentClient } {
  const response = () => ({ statusCode: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: body() });
  const plain = new DynamoDBClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: { handle: async () => ({ response: response() }) } as never,
  });
  readNatively(plain);
  return { plain, documents: DynamoDBDocumentClient.from(plain) };
}

const get = () => new GetCommand({ TableName: 't', Key: { pk: 'a' } });

describe('readNatively', () => {
  it("reads the answer in the SDK's place: a member that the SDK does not know is there", async () => {
    const { documents } = answering(() => Readable.from([Buffer.from(TEXT)]));

    expect(await documents.send(get())).toMatchObject({ Item: ITEM, Unheard: 'of' });
  });

  it.each([
    ['of the web', () => new Blob([TEXT]).stream()],
    ['as bytes', () => Buffer.from(TEXT)],
  ])('leaves a body %s to the SDK', async (_name, body) => {
    const { documents } = answering(body);

    const answer = await documents.send(get());

    expect(answer.Item).toEqual(ITEM);
    expect(answer).not.toHaveProperty('Unheard');
  });

  it('gives what it read when the SDK cannot read an empty answer', async () => {
    const { plain, documents } = answering(() => Readable.from([Buffer.from(TEXT)]));
    const readsNoEmptyAnswer = (next: (args: never) => Promise<{ response: unknown }>) => async (args: never) => {
      const result = await next(args);
      if ((result.response as { body: { length?: number } }).body.length === 0) throw new SyntaxError('no JSON');
      return result;
    };
    plain.middlewareStack.addRelativeTo(readsNoEmptyAnswer as never, {
      name: 'readsNoEmptyAnswer',
      relation: 'before',
      toMiddleware: 'takeAnswer',
    });

    expect((await documents.send(get())).Item).toEqual(ITEM);
  });
});
