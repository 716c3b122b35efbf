/**
 * Inflates many small blocks on one thread. Node's one-shot calls set up and tear down a decoder per call, a sixth of the
 * time of a 64 KiB block; here one decoder per kind is reset and writes into the caller's buffer. That takes two fields of
 * Node's own zlib objects; where a Node version has them no more, the one-shot call does the same.
 */
import { constants, createInflate, createInflateRaw, inflateRawSync, inflateSync } from 'node:zlib';
import { Corrupt } from './errors.ts';

/** `raw` is RFC 1951, `zlib` RFC 1950 with header and Adler-32. */
export type InflateKind = 'raw' | 'zlib';

/** The part of Node's zlib objects that is used (lib/zlib.js; unchanged since Node 10). */
interface Binding {
  reset(): void;
  writeSync(
    flush: number,
    input: Uint8Array,
    at: number,
    length: number,
    output: Uint8Array,
    to: number,
    room: number,
  ): void;
  onerror: (message: string, code: number, text: string) => void;
}
interface Decoder {
  /** Output room left, input left. */
  readonly state: Uint32Array;
  readonly binding: Binding;
  failure: string | undefined;
}

const CREATE = { raw: createInflateRaw, zlib: createInflate } as const;
const ONE_SHOT = { raw: inflateRawSync, zlib: inflateSync } as const;
const decoders: Partial<Record<InflateKind, Decoder | null>> = {};

/**
 * Inflates a stream into `target`, all of which it must fill; bytes behind the stream are ignored.
 * @throws Corrupt when the stream is damaged, gives fewer bytes, or more
 */
export function inflateInto(kind: InflateKind, input: Uint8Array, target: Uint8Array): void {
  const length = inflateUpTo(kind, input, target);
  if (length !== target.length) {
    throw new Corrupt(`compressed block: ${length} bytes came out, ${target.length} were expected`);
  }
}

/**
 * Inflates a stream into the beginning of `target`; bytes behind the stream are ignored.
 * @returns the bytes that came out, at most `target.length`
 * @throws Corrupt when the stream is damaged or gives more
 */
export function inflateUpTo(kind: InflateKind, input: Uint8Array, target: Uint8Array): number {
  decoders[kind] ??= makeDecoder(kind);
  const decoder = decoders[kind];
  return decoder === null || decoder === undefined ? oneShot(kind, input, target) : inflateWith(decoder, input, target);
}

function makeDecoder(kind: InflateKind): Decoder | null {
  const stream = CREATE[kind]() as unknown as { _handle?: Partial<Binding>; _writeState?: unknown };
  const binding = stream._handle;
  const state = stream._writeState;
  if (typeof binding?.reset !== 'function' || typeof binding.writeSync !== 'function') return null;
  if (!(state instanceof Uint32Array)) return null;
  const decoder: Decoder = { state, binding: binding as Binding, failure: undefined };
  decoder.binding.onerror = (message) => {
    decoder.failure = message;
  };
  return decoder;
}

/** One byte to see whether a stream goes on past its block. */
const SPARE = new Uint8Array(1);

function inflateWith(decoder: Decoder, input: Uint8Array, target: Uint8Array): number {
  const { binding, state } = decoder;
  decoder.failure = undefined;
  binding.reset();
  // SYNC_FLUSH: a stream whose end marker is cut off still gives what came before.
  binding.writeSync(constants.Z_SYNC_FLUSH, input, 0, input.length, target, 0, target.length);
  const left = state[0] ?? 0;
  if (decoder.failure === undefined && left === 0) {
    // The block is full: what is left must be the end of the stream, its checksum, and whatever follows.
    const rest = state[1] ?? 0;
    binding.writeSync(constants.Z_SYNC_FLUSH, input, input.length - rest, rest, SPARE, 0, 1);
    if (state[0] === 0) throw new Corrupt(`compressed block: more than ${target.length} bytes came out`);
  }
  if (decoder.failure !== undefined) throw new Corrupt(`compressed block: ${decoder.failure}`);
  return target.length - left;
}

/** The same through Node's public interface. */
export function oneShot(kind: InflateKind, input: Uint8Array, target: Uint8Array): number {
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
