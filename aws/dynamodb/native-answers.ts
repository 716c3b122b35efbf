/**
 * Items straight from the answer's JSON to plain values. The SDK reads an answer three times over (schema, attribute values,
 * document), which was half of what a list cost; here it is one walk. Errors, and answers without items, stay the SDK's.
 */
import { isAscii } from 'node:buffer';
import { Readable } from 'node:stream';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

type Json = Readonly<Record<string, unknown>>;
/** An attribute value as it is sent: one member, named by its type (DynamoDB API Reference, "AttributeValue"). */
type Attribute = Json;

const COMMANDS = new Set([
  'BatchGetItemCommand',
  'DeleteItemCommand',
  'GetItemCommand',
  'PutItemCommand',
  'QueryCommand',
  'UpdateItemCommand',
]);

/** Members of answers that hold items. */
const MEMBERS: Readonly<Record<string, (value: never) => unknown>> = {
  Item: itemOf,
  Attributes: itemOf,
  LastEvaluatedKey: itemOf,
  Items: itemsOf,
  Responses: (tables: Readonly<Record<string, readonly Json[]>>) => mapped(tables, itemsOf),
  UnprocessedKeys: (tables: Readonly<Record<string, { readonly Keys: readonly Json[] }>>) =>
    mapped(tables, (asked) => ({ ...asked, Keys: itemsOf(asked.Keys) })),
};

/**
 * Makes a client (and document clients over it) answer with plain values, by itself. Numbers must be within 2^53. It rests on what the
 * SDK hands from step to step; where that is not as expected the answer stays the SDK's, which takes longer and is the same.
 */
export function readNatively(client: DynamoDBClient): void {
  const answers = new WeakMap<object, Json>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const { statusCode, body } = result.response as { statusCode: number; body: unknown };
      if (statusCode !== 200 || !(body instanceof Readable) || !COMMANDS.has(context.commandName ?? '')) return result;
      answers.set(context, JSON.parse(await textOf(body)) as Json);
      // The SDK's own reader finds an empty answer, and adds its metadata.
      return { ...result, response: { ...(result.response as object), body: EMPTY } };
    },
    { name: 'takeAnswer', step: 'deserialize', priority: 'low' },
  );
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args).catch((error: unknown) => {
        // The service had answered: it is the SDK's reader that does not take an empty answer.
        if (answers.has(context)) return UNREAD;
        throw error;
      });
      const answer = answers.get(context);
      return answer === undefined ? result : { ...result, output: { ...result.output, ...nativeOf(answer) } };
    },
    { name: 'giveNativeAnswer', step: 'initialize', priority: 'high' },
  );
}

const EMPTY = new Uint8Array();
const UNREAD = { response: undefined, output: { $metadata: { httpStatusCode: 200 } } };

function nativeOf(answer: Json): Json {
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => [name, MEMBERS[name]?.(value as never) ?? value]),
  );
}

function itemsOf(items: readonly Json[]): Json[] {
  return items.map(itemOf);
}

/** In place: the parsed answer is ours alone. */
function itemOf(item: Record<string, unknown>): Json {
  for (const name in item) item[name] = nativeValue(item[name] as Attribute);
  return item;
}

function mapped<T>(tables: Readonly<Record<string, T>>, change: (value: T) => unknown): Json {
  return Object.fromEntries(Object.entries(tables).map(([name, value]) => [name, change(value)]));
}

const TYPES: Readonly<Record<string, (value: never) => unknown>> = {
  S: (text: string) => text,
  N: Number,
  BOOL: (truth: boolean) => truth,
  NULL: () => null,
  M: itemOf,
  L: (list: readonly Attribute[]) => list.map(nativeValue),
  SS: (texts: readonly string[]) => new Set(texts),
  NS: (numbers: readonly string[]) => new Set(numbers.map(Number)),
  B: bytesOf,
  BS: (all: readonly string[]) => new Set(all.map(bytesOf)),
};

/** @throws TypeError for a type that is none of DynamoDB's */
function nativeValue(attribute: Attribute): unknown {
  for (const type in attribute) {
    const read = TYPES[type];
    if (read !== undefined) return read(attribute[type] as never);
  }
  throw new TypeError(`no such attribute value: ${Object.keys(attribute).join(', ')}`);
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

function textOf(body: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.on('error', reject);
    body.on('end', () => {
      const bytes = Buffer.concat(chunks);
      // Most answers are ASCII, which reads as Latin-1 several times faster than as UTF-8.
      resolve(bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8'));
    });
  });
}
