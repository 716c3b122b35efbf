import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { StaleRevision } from '../../core/errors.ts';
import type { Table } from './table.ts';

/** One write of a transaction, without table name, and what it means when its condition does not hold. */
export interface ConditionalWrite {
  readonly item: NonNullable<TransactWriteCommandInput['TransactItems']>[number];
  readonly refused?: (cause: unknown) => Error | Promise<Error>;
}

/**
 * All writes or none.
 * @throws the refusal of the first write whose condition failed; StaleRevision when another transaction was in the way
 */
export async function transact(table: Table, writes: readonly ConditionalWrite[]): Promise<void> {
  try {
    await table.client.send(new TransactWriteCommand({ TransactItems: writes.map(({ item }) => item) }));
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const codes = error.CancellationReasons?.map(({ Code }) => Code) ?? [];
    const refusal = writes[codes.indexOf('ConditionalCheckFailed')]?.refused;
    if (refusal !== undefined) throw await refusal(error);
    if (codes.includes('TransactionConflict'))
      throw new StaleRevision('The record is being changed by another request', { cause: error });
    throw error;
  }
}
