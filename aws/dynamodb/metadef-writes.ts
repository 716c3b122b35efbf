import { Conflict, StaleRevision } from '../../core/errors.ts';
import type { Namespace } from '../../core/metadefs/namespace.ts';
import { namespaceNameKey } from './keys.ts';
import { namespaceItem } from './metadef-item.ts';
import type { Table } from './table.ts';
import type { ConditionalWrite } from './transact.ts';

/** The parts of a transaction that concern a namespace's record and the claim of its name. */
export interface NamespaceWrites {
  replaced(before: Namespace, after: Namespace): ConditionalWrite;
  claimed(id: string, name: string): ConditionalWrite;
  released(name: string): ConditionalWrite;
}

export function namespaceWrites({ name: TableName }: Table): NamespaceWrites {
  return {
    /** Writes the record as a whole, at its next revision, provided that nothing has changed since it was read. */
    replaced: (before, after) => ({
      item: {
        Put: {
          TableName,
          Item: namespaceItem(after),
          ConditionExpression: 'revision = :revision',
          ExpressionAttributeValues: { ':revision': before.revision },
        },
      },
      refused: (cause) => new StaleRevision(`Namespace ${before.name} changed meanwhile`, { cause }),
    }),

    claimed: (id, name) => ({
      item: {
        Put: {
          TableName,
          Item: { ...namespaceNameKey(name), namespace_id: id },
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
      refused: (cause) => new Conflict(`The metadata definition namespace=${name} already exists.`, { cause }),
    }),

    released: (name) => ({ item: { Delete: { TableName, Key: namespaceNameKey(name) } } }),
  };
}
