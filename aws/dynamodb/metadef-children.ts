/** Properties, objects and tags of a namespace, each an item of its partition under the kind's living generation. */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { StaleRevision } from '../../core/errors.ts';
import { childExists, noSuchChild } from '../../core/metadefs/children.ts';
import { CHILD_KINDS, type Child, type ChildKind, type Namespace } from '../../core/metadefs/namespace.ts';
import type { MetadefRepository } from '../../core/metadefs/repository.ts';
import { deleteAll } from './batch-write.ts';
import { Expression } from './expression.ts';
import { generationPrefix, type Key, metadefChildKey, namespaceKey } from './keys.ts';
import { childItem, childOf, countColumn, generationColumn, namespaceOf } from './metadef-item.ts';
import type { UseChange } from './metadef-use.ts';
import { queryAll } from './query-all.ts';
import type { Table } from './table.ts';
import { type ConditionalWrite, transact } from './transact.ts';

type ChildRecords = Pick<MetadefRepository, 'children' | 'child' | 'addChild' | 'replaceChild' | 'removeChild'>;

/** @param uses the writes that count a change of what a project holds */
export function createChildRecords(
  table: Table,
  uses: (owner: string | null, change: UseChange) => ConditionalWrite[],
): ChildRecords {
  const TableName = table.name;

  /** Counts in the record, and holds the write to the generation that was read: it may be replaced as a whole meanwhile. */
  function counted(namespace: Namespace, kind: ChildKind, by: -1 | 0 | 1): ConditionalWrite {
    const expression = new Expression();
    expression.add(expression.path('revision'), expression.value(1));
    if (by !== 0) {
      expression.add(expression.path(countColumn(kind)), expression.value(by));
      // What is counted is counted to the owner that was read.
      expression.require(`${expression.path('owner')} = ${expression.value(namespace.owner)}`);
    }
    const generation = expression.path(generationColumn(kind));
    expression.require(`${generation} = ${expression.value(namespace.generations[kind])}`);
    if (by < 0) expression.require(`${expression.path('protected')} = ${expression.value(false)}`);
    return {
      item: {
        Update: {
          TableName,
          Key: namespaceKey(namespace.id),
          UpdateExpression: expression.update,
          ConditionExpression: expression.condition,
          ...expression.placeholders,
        },
      },
      refused: (cause) => new StaleRevision(`Namespace ${namespace.name} changed meanwhile`, { cause }),
    };
  }

  const put = (namespace: Namespace, kind: ChildKind, child: Child, condition: string) => ({
    Put: {
      TableName,
      Item: childItem(namespace.id, kind, namespace.generations[kind], child),
      ConditionExpression: condition,
    },
  });
  const added = (namespace: Namespace, kind: ChildKind, child: Child): ConditionalWrite => ({
    item: put(namespace, kind, child, 'attribute_not_exists(pk)'),
    refused: () => childExists(namespace, kind, child.name),
  });
  const keyOf = (namespace: Namespace, kind: ChildKind, name: string) =>
    metadefChildKey(namespace.id, kind, namespace.generations[kind], name);
  const removed = (namespace: Namespace, kind: ChildKind, name: string): ConditionalWrite => ({
    item: {
      Delete: { TableName, Key: keyOf(namespace, kind, name), ConditionExpression: 'attribute_exists(pk)' },
    },
    refused: () => noSuchChild(namespace, kind, name),
  });

  return {
    async children(namespace, kind) {
      const children = [];
      for await (const item of queryAll(table, {
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: {
          ':pk': namespaceKey(namespace.id).pk,
          ':prefix': generationPrefix(kind, namespace.generations[kind]),
        },
        ConsistentRead: true,
      }))
        children.push(childOf(item));
      return children;
    },

    async child(namespace, kind, name) {
      const { Item } = await table.client.send(
        new GetCommand({ TableName, Key: keyOf(namespace, kind, name), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : childOf(Item);
    },

    addChild: (namespace, kind, child) =>
      transact(table, [
        added(namespace, kind, child),
        counted(namespace, kind, 1),
        ...uses(namespace.owner, { [kind]: 1 }),
      ]),

    replaceChild: (namespace, kind, name, child) => {
      const stays: ConditionalWrite = {
        item: put(namespace, kind, child, 'attribute_exists(pk)'),
        refused: () => noSuchChild(namespace, kind, name),
      };
      const renamed = [removed(namespace, kind, name), added(namespace, kind, child)];
      return transact(table, [...(child.name === name ? [stays] : renamed), counted(namespace, kind, 0)]);
    },

    removeChild: (namespace, kind, name) =>
      transact(table, [
        removed(namespace, kind, name),
        counted(namespace, kind, -1),
        ...uses(namespace.owner, { [kind]: -1 }),
      ]),
  };
}

/** Removes what lies under generations that the record does not name; it is read first, strongly consistent. */
export function createSweep(table: Table): MetadefRepository['sweep'] {
  return async (namespaceId, generations) => {
    if (generations.length === 0) return;
    const { Item } = await table.client.send(
      new GetCommand({ TableName: table.name, Key: namespaceKey(namespaceId), ConsistentRead: true }),
    );
    const living = Item === undefined ? undefined : namespaceOf(Item).generations;
    for (const kind of CHILD_KINDS) {
      for (const generation of new Set(generations)) {
        if (living?.[kind] !== generation) await removeGeneration(table, namespaceId, kind, generation);
      }
    }
  };
}

async function removeGeneration(table: Table, namespaceId: string, kind: ChildKind, generation: string): Promise<void> {
  const keys: Key[] = [];
  for await (const { pk, sk } of queryAll(table, {
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': namespaceKey(namespaceId).pk, ':prefix': generationPrefix(kind, generation) },
    ProjectionExpression: 'pk, sk',
    ConsistentRead: true,
  }))
    keys.push({ pk: String(pk), sk: String(sk) });
  await deleteAll(table, keys);
}
