import type { Caller } from '../identity/caller.ts';

/** Where certificates of signatures are kept. Whoever looks something up there spends a look-up first (core/identity/look-ups.ts). */
export interface KeyManager {
  /**
   * What lies under an id, at most `MOST_CERTIFICATE_BYTES` and one byte of it; undefined when there is nothing, or nothing for this caller.
   * @param id a canonical UUID
   * @throws BackendUnavailable when the key manager cannot be asked; InvalidInput when it answers callers of this kind never
   */
  secret(id: string, caller: Pick<Caller, 'token'>): Promise<Uint8Array | undefined>;
}

/** Of a verb that verifies signatures. */
export interface WithKeyManager {
  readonly keyManager: KeyManager;
}
