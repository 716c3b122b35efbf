import type { Store } from './store.ts';

/** Small JSON documents in a store: plans and fragments of an import. @throws BackendUnavailable */
export async function putJson(store: Store, key: string, value: unknown): Promise<void> {
  await store.putObject(key, Buffer.from(JSON.stringify(value)), { contentType: 'application/json' });
}

/** @throws NotFound, BackendUnavailable */
export async function getJson<T>(store: Store, key: string): Promise<T> {
  const bytes = await store.getObject(key);
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as T;
}
