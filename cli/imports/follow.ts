/** An import as who began it follows it: to its end, with what it does meanwhile. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../api/client.ts';
import type { ImportAnswer } from '../../api/imports/answers.ts';
import { type Tries, trying } from '../transfer/tries.ts';

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told each look. */
  onLook?(one: ImportAnswer): void;
  /** How often a look that fails is repeated. */
  readonly tries?: Tries;
}

/** An import at work changes each second; one that begins or ends is worth a look sooner. Milliseconds. */
const PAUSES_MS = { first: 200, growth: 1.5, most: 1500 } as const;

/** Has ended, well or not. */
export const hasEnded = ({ status }: ImportAnswer): boolean => status === 'success' || status === 'failure';

/** The last import of an image; undefined when it never had one. @throws the service's error kinds */
export async function lastImport(client: Client, imageId: string): Promise<ImportAnswer | undefined> {
  const { imports } = await client.listImports({ query: { image_id: imageId, limit: 1 } });
  return imports[0];
}

/**
 * Looks until the import has ended.
 * @returns the import as it ended: `success`, or `failure` with a message
 * @throws the service's error kinds; the signal's reason
 */
export async function followImport(client: Client, task: string, options: FollowOptions = {}): Promise<ImportAnswer> {
  let waitMs: number = PAUSES_MS.first;
  for (;;) {
    const one = await trying(() => client.showImport({ params: { task } }), options);
    options.onLook?.(one);
    if (hasEnded(one)) return one;
    await pause(waitMs, undefined, { ...(options.signal && { signal: options.signal }) });
    waitMs = Math.min(PAUSES_MS.most, waitMs * PAUSES_MS.growth);
  }
}
