import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { sourceSecretKey } from '../../aws/dynamodb/keys.ts';
import { createSourceSecretReads, createSourceSecrets } from '../../aws/dynamodb/source-secrets.ts';
import { startTable } from '../support/table.ts';

const SECRET = 'https://user:password@example.org/x';
const of = (byte: number) => new Uint8Array(32).fill(byte);
const keys = () => [of(7)];
const clock = { now: () => Date.parse('2026-02-02T00:00:00Z') };

test('a secret is kept sealed until it is forgotten', async () => {
  const { table, close } = await startTable();
  const secrets = createSourceSecrets(table, { clock, keys });
  const reads = createSourceSecretReads(table, keys);
  await secrets.keep('task', SECRET);

  const stored = await table.client.send(new GetCommand({ TableName: table.name, Key: sourceSecretKey('task') }));
  expect(JSON.stringify(stored.Item)).not.toMatch(/user|password|example/);
  expect(await reads.of('task')).toBe(SECRET);
  expect(await reads.of('other')).toBeUndefined();
  await secrets.forget('task');
  await secrets.forget('task');
  expect(await reads.of('task')).toBeUndefined();
  await close();
});

test('a secret opens for its own task and with its own key alone', async () => {
  const { table, close } = await startTable();
  await createSourceSecrets(table, { clock, keys }).keep('task', SECRET);
  const moved = {
    ...table,
    client: {
      send: async (command: GetCommand) =>
        table.client.send(new GetCommand({ ...command.input, Key: sourceSecretKey('task') })),
    } as unknown as typeof table.client,
  };

  expect(await createSourceSecretReads(moved, keys).of('task')).toBe(SECRET);
  expect(await createSourceSecretReads(moved, keys).of('another')).toBeUndefined();
  expect(await createSourceSecretReads(table, () => [of(8)]).of('task')).toBeUndefined();
  expect(await createSourceSecretReads(table, () => [of(8), of(7)]).of('task')).toBe(SECRET);
  await close();
});
