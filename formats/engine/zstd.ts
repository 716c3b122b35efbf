import { decodeFrame } from '#codecs/zstd.ts';
import type { Codecs } from './codecs.ts';
import { zstdFrameLength } from './zstd-frame.ts';

/**
 * Decodes one or more frames until `target` is full; bytes behind them are ignored.
 * @throws Corrupt when a frame is damaged, the frames give less, or more
 */
export function unzstdInto(input: Uint8Array, target: Uint8Array, decode: Codecs['decodeFrame'] = decodeFrame): void {
  let length = 0;
  for (let at = 0; length < target.length; ) {
    const end = at + zstdFrameLength(input.subarray(at));
    length += decode(input.subarray(at, end), target.subarray(length));
    // An empty frame adds nothing but moves `at`, so the walk ends with the input.
    at = end;
  }
}
