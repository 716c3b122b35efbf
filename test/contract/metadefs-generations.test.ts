import { randomUUID } from 'node:crypto';
import { QueryCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createMetadefRepository } from '../../aws/dynamodb/metadefs.ts';
import { storeNamespace } from '../../core/metadefs/namespaces.ts';
import { seedCatalog } from '../../core/metadefs/seed.ts';
import { sweepGenerations } from '../../core/metadefs/sweep.ts';
import { standardCatalog } from '../../scripts/catalog.ts';
import { type MetadefsApi, startMetadefsApi } from '../support/metadefs-api.ts';

let api: MetadefsApi;
beforeEach(async () => {
  api = await startMetadefsApi();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await api.close();
});

const LATER = 9_000_000_000_000;
const draft = (name: string, tags: readonly string[]) => ({
  name,
  displayName: null,
  description: null,
  visibility: 'public' as const,
  protected: false,
  owner: 'p',
  associations: [],
  contents: { properties: [], objects: [], tags: tags.map((tag) => ({ name: tag, definition: {} })) },
});

/** Everything in a namespace's partition, dead generations included. */
async function partition(id: string): Promise<string[]> {
  const { Items } = await api.table.client.send(
    new QueryCommand({
      TableName: api.table.name,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': `METADEF#${id}` },
    }),
  );
  return (Items ?? []).map((item) => String(item['sk']));
}

/** The process dies when it is about to flip the pointer. */
function dieBeforeFlip(): void {
  const { client } = api.table;
  const send = client.send.bind(client) as (command: unknown) => Promise<unknown>;
  vi.spyOn(client, 'send').mockImplementation(((command: unknown) =>
    command instanceof TransactWriteCommand ? Promise.reject(new Error('killed')) : send(command)) as never);
}

test('a creation that died before its end leaves nothing to see, and the janitor removes the rest', async () => {
  dieBeforeFlip();
  await expect(storeNamespace(api.deps, draft('n', ['a', 'b']))).rejects.toThrow('killed');
  vi.restoreAllMocks();

  expect(await api.deps.metadefs.find('n')).toBeUndefined();
  const [duty] = await api.deps.duties.due(LATER, 10);
  expect(duty).toMatchObject({ kind: 'metadef', imageId: '' });
  expect(await partition(duty?.namespaceId ?? '')).toHaveLength(2);

  await sweepGenerations(api.deps, duty!);
  expect(await partition(duty?.namespaceId ?? '')).toEqual([]);
  expect(await api.deps.duties.due(LATER, 10)).toEqual([]);
  await storeNamespace(api.deps, draft('n', ['c']));
});

test('a replacement that died before its end changes nothing; the janitor removes the new generation only', async () => {
  const { namespace } = await storeNamespace(api.deps, draft('n', ['a', 'b']));
  dieBeforeFlip();
  const tag = { name: 'c', definition: {}, createdAt: 'x', updatedAt: 'x' };
  await expect(api.deps.metadefs.replaceAll(namespace, 'tags', [tag])).rejects.toThrow('killed');
  vi.restoreAllMocks();

  const [duty] = await api.deps.duties.due(LATER, 10);
  await sweepGenerations(api.deps, duty!);
  await sweepGenerations(api.deps, duty!);

  expect((await api.deps.metadefs.children(namespace, 'tags')).map(({ name }) => name)).toEqual(['a', 'b']);
  expect(await partition(namespace.id)).toHaveLength(3);
});

test('a late duty of a namespace that was renamed meanwhile spares what lives', async () => {
  const { namespace } = await storeNamespace(api.deps, draft('n', ['a']));
  await api.deps.metadefs.update(namespace, { ...namespace, name: 'm' }, namespace.updatedAt);

  await api.deps.metadefs.sweep(namespace.id, [namespace.generations.tags]);

  const whole = await api.deps.metadefs.findWhole('m');
  expect(whole?.contents.tags.map(({ name }) => name)).toEqual(['a']);
});

test('of two replacements of one state one must read again', async () => {
  const { namespace } = await storeNamespace(api.deps, draft('n', ['a']));
  const tag = (name: string) => [{ name, definition: {}, createdAt: 'x', updatedAt: 'x' }];
  const results = await Promise.allSettled([
    api.deps.metadefs.replaceAll(namespace, 'tags', tag('b')),
    api.deps.metadefs.replaceAll(namespace, 'tags', tag('c')),
  ]);

  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const lost = results.find((result) => result.status === 'rejected');
  expect(lost?.reason).toMatchObject({ kind: 'StaleRevision' });
  expect(await partition(namespace.id)).toHaveLength(2);
  expect(await api.deps.duties.due(LATER, 10)).toEqual([]);
});

test('a tag added to a state that was replaced is not lost in a dead generation', async () => {
  const { namespace } = await storeNamespace(api.deps, draft('n', ['a']));
  await api.deps.metadefs.replaceAll(namespace, 'tags', []);
  const tag = { name: 'late', definition: {}, createdAt: 'x', updatedAt: 'x' };

  await expect(api.deps.metadefs.addChild(namespace, 'tags', tag)).rejects.toMatchObject({ kind: 'StaleRevision' });
  expect(await partition(namespace.id)).toEqual(['NAMESPACE']);
});

test('no read is a scan', async () => {
  const sent: string[] = [];
  const { client } = api.table;
  const send = client.send.bind(client) as (command: object) => Promise<unknown>;
  vi.spyOn(client, 'send').mockImplementation(((command: object) => {
    sent.push(command.constructor.name);
    return send(command);
  }) as never);
  const repository = createMetadefRepository(api.table, {
    clock: api.deps.clock,
    newId: randomUUID,
    duties: api.deps.duties,
    limits: { namespaces: 9, properties: 9, objects: 9, tags: 9, associations: 9, types: 9 },
    log: api.deps.log,
  });
  await storeNamespace({ ...api.deps, metadefs: repository }, draft('n', ['a']));
  await repository.page({ reach: 'all', sort: { key: 'createdAt', direction: 'desc' }, limit: 25 });
  await repository.resourceTypes();
  sent.length = 0;
  await repository.findWhole('n');
  expect(sent).toEqual(['GetCommand', 'QueryCommand']);
});

test('the standard catalog loads once, goes on after a crash, and what was removed stays removed', async () => {
  const drafts = await standardCatalog();
  const [first] = drafts;
  await storeNamespace(api.deps, first!);

  expect(await seedCatalog(api.deps, standardCatalog)).toBe(drafts.length - 1);
  await api.deps.metadefs.delete((await api.deps.metadefs.find(first?.name ?? ''))!);
  const read = vi.fn(standardCatalog);
  expect(await seedCatalog(api.deps, read)).toBe(0);
  expect(read).not.toHaveBeenCalled();
  expect(await api.deps.metadefs.find(first?.name ?? '')).toBeUndefined();
});
