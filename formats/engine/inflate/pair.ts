/**
 * Inflates blocks two at a time, in a third to two thirds of zlib's time (docs/adr/0018). What the pair decoder does not
 * answer for (`pair.as`) goes to the platform's decoder (zlib), whose word counts for what is damaged and how.
 */

import type { InflateKind } from '../codecs.ts';
import { latin1Bytes } from '../text.ts';
import { inflateInto } from './into.ts';
import { MODULE } from './pair-wasm.ts';

/** What is used of the global that the compiler's library for servers has no values for. */
interface WebAssemblyGlobal {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

interface Decoder {
  readonly inflatePair: (zlib: number, ...addresses: number[]) => number;
  readonly memory: Uint8Array;
}

/** Longest stream and longest block that are decoded in pairs. */
const MOST = 128 * 1024;
/** Two inputs and two rooms stand behind the tables, each with a little between it and the next. */
const [IN_A, OUT_A, IN_B, OUT_B] = [0, 1, 2, 3].map((slot) => 64 * 1024 + slot * (MOST + 1024)) as [
  number,
  number,
  number,
  number,
];

/** One of a thread; null where WebAssembly cannot run. */
let decoder: Decoder | null | undefined;

function makeDecoder(): Decoder | null {
  try {
    const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal }).WebAssembly;
    const module = new Module(latin1Bytes(atob(MODULE.join(''))));
    const { init, inflatePair, memory } = new Instance(module).exports as {
      init: () => void;
      inflatePair: Decoder['inflatePair'];
      memory: { readonly buffer: ArrayBuffer };
    };
    init();
    return { inflatePair, memory: new Uint8Array(memory.buffer) };
  } catch {
    // Turned off, or no address space for it: zlib does the same.
    return null;
  }
}

interface Block {
  readonly input: Uint8Array;
  readonly target: Uint8Array;
}

/** Bytes in front of a zlib stream. */
const HEADER = 2;

/** True for what zlib accepts as a stream's header: deflate, a window that exists, no dictionary (RFC 1950, 2.2). */
function hasHeader([method = 0, flags = 0]: Uint8Array): boolean {
  return (method & 0x0f) === 8 && method >> 4 <= 7 && (flags & 0x20) === 0 && (method * 256 + flags) % 31 === 0;
}

/** Deflated streams on their way into blocks of known length. */
export class InflatePairs {
  readonly #kind: InflateKind;
  #waiting: Block | undefined;

  constructor(kind: InflateKind) {
    this.#kind = kind;
  }

  /**
   * Inflates `input` into `target`, all of which it must fill; bytes behind the stream are ignored. Done at the latest by
   * `end`: until then both must stay as they are.
   * @throws Corrupt when this stream, or one added before, is damaged or gives more or fewer bytes
   */
  add(input: Uint8Array, target: Uint8Array): void {
    if (decoder === undefined) decoder = makeDecoder();
    const odd = input.length > MOST || target.length > MOST || (this.#kind === 'zlib' && !hasHeader(input));
    if (decoder === null || odd) {
      inflateInto(this.#kind, input, target);
      return;
    }
    const first = this.#waiting;
    this.#waiting = first === undefined ? { input, target } : undefined;
    if (first !== undefined) inflateBoth(decoder, this.#kind, first, { input, target });
  }

  /** Finishes what waits for a second one. @throws as `add` */
  end(): void {
    const left = this.#waiting;
    this.#waiting = undefined;
    if (left !== undefined) inflateInto(this.#kind, left.input, left.target);
  }
}

function inflateBoth({ inflatePair, memory }: Decoder, kind: InflateKind, a: Block, b: Block): void {
  const zlib = kind === 'zlib' ? 1 : 0;
  const skip = zlib * HEADER;
  memory.set(a.input, IN_A);
  memory.set(b.input, IN_B);
  const endA = OUT_A + a.target.length;
  const endB = OUT_B + b.target.length;
  const inA = [IN_A + skip, IN_A + a.input.length] as const;
  const inB = [IN_B + skip, IN_B + b.input.length] as const;
  const done = inflatePair(zlib, ...inA, OUT_A, endA, ...inB, OUT_B, endB);
  if ((done & 1) !== 0) a.target.set(memory.subarray(OUT_A, endA));
  else inflateInto(kind, a.input, a.target);
  if ((done & 2) !== 0) b.target.set(memory.subarray(OUT_B, endB));
  else inflateInto(kind, b.input, b.target);
}
