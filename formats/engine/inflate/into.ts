import { inflateUpTo } from '#codecs/inflate.ts';
import type { Codecs, InflateKind } from '../codecs.ts';
import { Corrupt } from '../errors.ts';

/**
 * Inflates a stream into `target`, all of which it must fill; bytes behind the stream are ignored.
 * @throws Corrupt when the stream is damaged, gives fewer bytes, or more
 */
export function inflateInto(
  kind: InflateKind,
  input: Uint8Array,
  target: Uint8Array,
  inflate: Codecs['inflateUpTo'] = inflateUpTo,
): void {
  const length = inflate(kind, input, target);
  if (length !== target.length) {
    throw new Corrupt(`compressed block: ${length} bytes came out, ${target.length} were expected`);
  }
}
