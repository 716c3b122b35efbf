import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { CompactEncrypt, compactDecrypt } from 'jose';
import type { Clock } from '../../core/clock.ts';
import type { SourceSecretReads, SourceSecrets } from '../../core/tasks/source-secrets.ts';
import { sourceSecretKey } from './keys.ts';
import type { Table } from './table.ts';

/** Longer than the longest import: what nobody removed goes by itself. Seconds. */
const KEPT_SECONDS = 2 * 24 * 3600;

/** Keys of 32 bytes, which those who keep secrets and those who read them have, and nobody else: the first seals, all of them open. Asked for at each use. */
export type SealingKeys = () => readonly Uint8Array[];

/** The SourceSecrets of core/tasks/source-secrets.ts: under keys of their own, which only the functions reach that need them. */
export function createSourceSecrets(
  table: Table,
  { clock, keys }: { readonly clock: Clock; readonly keys: SealingKeys },
): SourceSecrets {
  return {
    async keep(taskId, secret) {
      const ttl = Math.ceil(clock.now() / 1000) + KEPT_SECONDS;
      const item = { ...sourceSecretKey(taskId), sealed: await seal(secret, taskId, keys()), ttl };
      await table.client.send(new PutCommand({ TableName: table.name, Item: item }));
    },
    async forget(taskId) {
      await table.client.send(new DeleteCommand({ TableName: table.name, Key: sourceSecretKey(taskId) }));
    },
  };
}

export function createSourceSecretReads(table: Table, keys: SealingKeys): SourceSecretReads {
  return {
    async of(taskId) {
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: sourceSecretKey(taskId), ConsistentRead: true }),
      );
      const sealed = Item?.['sealed'] as string | undefined;
      return sealed === undefined ? undefined : opened(sealed, taskId, keys());
    },
  };
}

/** JWE (RFC 7516, compact form, A256GCM); its header names the task, so that it opens for no other. */
function seal(secret: string, taskId: string, [key]: readonly Uint8Array[]): Promise<string> {
  if (key === undefined) throw new TypeError('a key is needed to keep the secret of a source');
  return new CompactEncrypt(new TextEncoder().encode(secret))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', task: taskId })
    .encrypt(key);
}

/** Undefined for what was sealed with another key, or for another task. */
async function opened(sealed: string, taskId: string, keys: readonly Uint8Array[]): Promise<string | undefined> {
  for (const key of keys) {
    const found = await compactDecrypt(sealed, key).catch(() => undefined);
    if (found?.protectedHeader['task'] === taskId) return new TextDecoder().decode(found.plaintext);
  }
  return undefined;
}
