/** Inflates many small blocks on one thread: one decoder per kind is reset and writes into the caller's buffer. */
import { constants, createInflate, createInflateRaw, inflateRawSync, inflateSync } from 'node:zlib';
import type { Codecs, InflateKind } from '../../engine/codecs.ts';
import { Corrupt } from '../../engine/errors.ts';
import { ZlibHandle } from '../zlib-handle.ts';

const CREATE = { raw: createInflateRaw, zlib: createInflate } as const;
const ONE_SHOT = { raw: inflateRawSync, zlib: inflateSync } as const;
const decoders: Partial<Record<InflateKind, ZlibHandle | null>> = {};

export const inflateUpTo: Codecs['inflateUpTo'] = (kind, input, target) => {
  let decoder = decoders[kind];
  if (decoder === undefined) {
    decoder = ZlibHandle.of(CREATE[kind]());
    decoders[kind] = decoder;
  }
  return decoder === null ? inflateOneShot(kind, input, target) : inflateWith(decoder, input, target);
};

/** One byte to see whether a stream goes on past its block. */
const SPARE = new Uint8Array(1);

function inflateWith(decoder: ZlibHandle, input: Uint8Array, target: Uint8Array): number {
  decoder.reset();
  // SYNC_FLUSH: a stream whose end marker is cut off still gives what came before.
  decoder.feed(constants.Z_SYNC_FLUSH, input, target);
  const left = decoder.roomLeft;
  if (decoder.failure === undefined && left === 0) {
    // The block is full: what is left must be the end of the stream, its checksum, and whatever follows.
    decoder.feed(constants.Z_SYNC_FLUSH, input.subarray(input.length - decoder.inputLeft), SPARE);
    if (decoder.roomLeft === 0) throw new Corrupt(`compressed block: more than ${target.length} bytes came out`);
  }
  if (decoder.failure !== undefined) throw new Corrupt(`compressed block: ${decoder.failure}`);
  return target.length - left;
}

/** As `inflateUpTo`, through Node's public interface. */
export function inflateOneShot(kind: InflateKind, input: Uint8Array, target: Uint8Array): number {
  let out: Uint8Array;
  try {
    out = ONE_SHOT[kind](input, {
      chunkSize: Math.max(64, target.length + 64),
      maxOutputLength: target.length,
      finishFlush: constants.Z_SYNC_FLUSH,
    });
  } catch (error) {
    throw new Corrupt(`compressed block: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  target.set(out);
  return out.length;
}
