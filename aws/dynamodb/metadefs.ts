/**
 * The MetadefRepository of core/metadefs/repository.ts on the single table. A small change is one transaction of the record, the
 * child and the owner's counters. A large one first writes children under a generation that no record names, then flips the
 * record's pointer; a duty written before both lets the janitor remove whichever generation ends up dead.
 */
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Conflict, StaleRevision } from '../../core/errors.ts';
import { CHILD_KINDS, type Namespace } from '../../core/metadefs/namespace.ts';
import type { CatalogLimits, MetadefRepository } from '../../core/metadefs/repository.ts';
import { putAll } from './batch-write.ts';
import { METADEFS_LOADED, namespaceKey, namespaceNameKey } from './keys.ts';
import { createChildRecords, createSweep } from './metadef-children.ts';
import { createGenerationDuty, type GenerationDutyOptions } from './metadef-duty.ts';
import { childItem, contentsOf, namespaceItem, namespaceOf } from './metadef-item.ts';
import { createNamespacePages } from './metadef-list.ts';
import { createResourceTypeRecords } from './metadef-types.ts';
import { type UseChange, useWrites } from './metadef-use.ts';
import { namespaceWrites } from './metadef-writes.ts';
import { queryAll } from './query-all.ts';
import { isConditionFailure, type Table } from './table.ts';
import { type ConditionalWrite, transact } from './transact.ts';

export interface MetadefRepositoryOptions extends GenerationDutyOptions {
  readonly limits: CatalogLimits;
}

export function createMetadefRepository(table: Table, options: MetadefRepositoryOptions): MetadefRepository {
  const { newId, limits } = options;
  const TableName = table.name;
  const recent = table.recent.namespaces;
  const types = createResourceTypeRecords(table, options);
  const sweep = createSweep(table);
  const withDuty = createGenerationDuty(options, sweep);
  const { replaced, claimed, released } = namespaceWrites(table);
  const uses = (owner: string | null, change: UseChange) => useWrites(table, limits, owner, change);

  async function find(name: string): Promise<Namespace | undefined> {
    const id = await idOf(name);
    if (id === undefined) return undefined;
    const { Item } = await table.client.send(
      new GetCommand({ TableName, Key: namespaceKey(id), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : namespaceOf(Item);
  }

  async function idOf(name: string): Promise<string | undefined> {
    const { Item } = await table.client.send(
      new GetCommand({ TableName, Key: namespaceNameKey(name), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : String(Item['namespace_id']);
  }

  /** The record as a whole, with what belongs to the same transaction; answers what is stored now. */
  async function save(before: Namespace, changed: Namespace, more: readonly ConditionalWrite[]): Promise<Namespace> {
    const after = { ...changed, revision: before.revision + 1 };
    await transact(table, [replaced(before, after), ...more]);
    recent.note(before.id, after);
    return after;
  }

  return {
    find,
    ...createNamespacePages(table),
    ...createChildRecords(table, uses),
    resourceTypes: types.resourceTypes,
    removeResourceType: types.removeResourceType,
    sweep,

    async findWhole(name) {
      const id = await idOf(name);
      if (id === undefined) return undefined;
      const items = [];
      for await (const item of queryAll(table, {
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': namespaceKey(id).pk },
        ConsistentRead: true,
      }))
        items.push(item);
      const [first, ...rest] = items;
      if (first?.['sk'] !== namespaceKey(id).sk) return undefined;
      const namespace = namespaceOf(first);
      return { namespace, contents: contentsOf(namespace, rest) };
    },

    async create(namespace, contents) {
      const { id, name, owner, associations, counts } = namespace;
      const items = CHILD_KINDS.flatMap((kind) =>
        contents[kind].map((child) => childItem(id, kind, namespace.generations[kind], child)),
      );
      // Found early, the usual conflict costs no writes.
      if ((await idOf(name)) !== undefined)
        throw new Conflict(`The metadata definition namespace=${name} already exists.`);
      const publish = async () => {
        await putAll(table, items);
        await types.ensureTypes(
          owner,
          associations.map(({ resourceType }) => resourceType),
        );
        const record = { Put: { TableName, Item: namespaceItem(namespace) } };
        const use = uses(owner, { namespaces: 1, associations: associations.length, ...counts });
        await transact(table, [claimed(id, name), { item: record }, ...use]);
        recent.note(id, namespace);
      };
      if (items.length === 0) await publish();
      else await withDuty(id, { dying: [], unborn: Object.values(namespace.generations) }, publish);
    },

    async update(before, fields, updatedAt) {
      const after = { ...before, ...fields, updatedAt };
      const names = after.name === before.name ? [] : [claimed(before.id, after.name), released(before.name)];
      const held = heldBy(before);
      const moved =
        after.owner === before.owner ? [] : [...uses(after.owner, held), ...uses(before.owner, negative(held))];
      return save(before, after, [...names, ...moved]);
    },

    async delete(namespace) {
      const { id, name, owner, revision } = namespace;
      const record: ConditionalWrite = {
        item: {
          Delete: {
            TableName,
            Key: namespaceKey(id),
            ConditionExpression: 'revision = :revision',
            ExpressionAttributeValues: { ':revision': revision },
          },
        },
        refused: (cause) => new StaleRevision(`Namespace ${name} changed meanwhile`, { cause }),
      };
      await withDuty(id, { dying: Object.values(namespace.generations), unborn: [] }, () =>
        transact(table, [record, released(name), ...uses(owner, negative(heldBy(namespace)))]),
      );
      recent.note(id, undefined);
    },

    async replaceAll(namespace, kind, children) {
      const { id, owner, generations, counts } = namespace;
      const generation = newId();
      await withDuty(id, { dying: [generations[kind]], unborn: [generation] }, async () => {
        await putAll(
          table,
          children.map((child) => childItem(id, kind, generation, child)),
        );
        const after = {
          ...namespace,
          generations: { ...generations, [kind]: generation },
          counts: { ...counts, [kind]: children.length },
        };
        const use = uses(owner, { [kind]: children.length - counts[kind] });
        await save(namespace, after, use);
      });
    },

    async associate(namespace, association) {
      await types.ensureTypes(namespace.owner, [association.resourceType]);
      const after = { ...namespace, associations: [...namespace.associations, association] };
      await save(namespace, after, uses(namespace.owner, { associations: 1 }));
    },

    async dissociate(namespace, resourceType) {
      const associations = namespace.associations.filter((each) => each.resourceType !== resourceType);
      const change = { associations: associations.length - namespace.associations.length };
      await save(namespace, { ...namespace, associations }, uses(namespace.owner, change));
    },

    async isLoaded() {
      const { Item } = await table.client.send(
        new GetCommand({ TableName, Key: METADEFS_LOADED, ConsistentRead: true }),
      );
      return Item !== undefined;
    },

    async markLoaded(at) {
      try {
        await table.client.send(
          new PutCommand({
            TableName,
            Item: { ...METADEFS_LOADED, loaded_at: at },
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        );
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
      }
    },
  };
}

function heldBy({ counts, associations }: Namespace): UseChange {
  return { namespaces: 1, associations: associations.length, ...counts };
}

function negative(change: UseChange): UseChange {
  return Object.fromEntries(Object.entries(change).map(([counted, by]) => [counted, -by]));
}
