/**
 * The native part of Node's zlib and zstd objects, for many small blocks on one thread: an object per block costs a sixth of
 * the time that a block of 64 KiB takes. It is reached by two fields of those objects; where a Node version has them no
 * more, callers fall back to the one-shot calls.
 */

/** The part of Node's native objects that is used (lib/zlib.js; unchanged since Node 10). */
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

/** One coder, of one thread; `feed` goes on where the last call ended. */
export class ZlibHandle {
  readonly #binding: Binding;
  /** Output room left, input left. */
  readonly #state: Uint32Array;
  /** What the coder said is wrong, since the last reset. */
  failure: string | undefined;

  private constructor(binding: Binding, state: Uint32Array) {
    this.#binding = binding;
    this.#state = state;
    binding.onerror = (message) => {
      this.failure = message;
    };
  }

  /** @param stream as the `create` functions of node:zlib give it @returns null when this Node has not the fields */
  static of(stream: object): ZlibHandle | null {
    const { _handle: binding, _writeState: state } = stream as { _handle?: Partial<Binding>; _writeState?: unknown };
    if (typeof binding?.reset !== 'function' || typeof binding.writeSync !== 'function') return null;
    return state instanceof Uint32Array ? new ZlibHandle(binding as Binding, state) : null;
  }

  /** Forgets what came before: the next bytes begin a stream. */
  reset(): void {
    this.failure = undefined;
    this.#binding.reset();
  }

  /** Codes `input` into `target`, as far as both go. @param flush one of zlib's constants */
  feed(flush: number, input: Uint8Array, target: Uint8Array): void {
    this.#binding.writeSync(flush, input, 0, input.length, target, 0, target.length);
  }

  /** Bytes of room that the last `feed` left. */
  get roomLeft(): number {
    return this.#state[0] ?? 0;
  }

  /** Bytes of input that the last `feed` left. */
  get inputLeft(): number {
    return this.#state[1] ?? 0;
  }
}
