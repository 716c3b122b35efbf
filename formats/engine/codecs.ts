/**
 * What the engine asks of the platform it runs on: the few things that a library of the platform does many times faster than
 * code of ours could. Engine and readers import them as `#codecs/…`; the `imports` of package.json lead to `formats/node/codecs/`
 * on Node and to `formats/web/codecs/` everywhere else, when modules are resolved. So nothing is handed through every call,
 * nothing has to be installed before the first one, and a bundle holds one implementation. Writers need `#codecs/deflate.ts`
 * too, which Node alone has: a bundle for a browser that takes in a writer fails when it is built. docs/adr/0021.
 */

/** `raw` is RFC 1951, `zlib` RFC 1950 with header and Adler-32. */
export type InflateKind = 'raw' | 'zlib';

/** Digests that manifests name. */
export type DigestAlgorithm = 'sha1' | 'sha256' | 'sha512';

/** A digest of bytes that arrive in pieces. */
export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** Lower-case hex. Call once. */
  hex(): string;
}

/** Streams that `expand` takes: gzip (RFC 1952), deflate without a header (RFC 1951), one zstd frame (RFC 8878). */
export type StreamKind = 'gzip' | 'deflate' | 'zstd';

/** One implementation of everything under `#codecs/` that readers use; each name is exported by the file named here. */
export interface Codecs {
  /** bytes.ts: true when every byte is zero. */
  isZero(bytes: Uint8Array): boolean;
  /** bytes.ts: memory whose content is undefined until it is written. */
  uninitialized(length: number): Uint8Array;
  /** crc32.ts: CRC-32 as in gzip, GPT and S3; `value` is the checksum of what came before. */
  crc32(bytes: Uint8Array, value?: number): number;
  /** digest.ts: a digest that has seen nothing yet. */
  createDigest(algorithm: DigestAlgorithm): RunningDigest;
  /**
   * inflate.ts: inflates a stream into the beginning of `target`; bytes behind the stream are ignored, and of a stream that
   * is cut off comes what can be had.
   * @returns the bytes that came out, at most `target.length`
   * @throws Corrupt when the stream is damaged or gives more
   */
  inflateUpTo(kind: InflateKind, input: Uint8Array, target: Uint8Array): number;
  /**
   * zstd.ts: decodes one whole zstd frame, and nothing behind it, into the beginning of `room`.
   * @returns the bytes that came out
   * @throws Corrupt when the frame is damaged, gives more, or wants a window above 2 MiB
   */
  decodeFrame(frame: Uint8Array, room: Uint8Array): number;
  /** peek.ts: what comes out of the first bytes (4 KiB at most) of a gzip member. @throws Error when they are damaged */
  gunzipBeginning(head: Uint8Array): Uint8Array;
  /** peek.ts: what comes out of the header and whole blocks at the beginning of a zstd frame. @throws Error when they are damaged */
  unzstdBeginning(head: Uint8Array): Uint8Array;
  /**
   * expand.ts: a stream of any length, expanded with back-pressure; leaving the loop early stops the reading.
   * @param what names the stream in messages
   * @throws Truncated when the stream ends too soon (Corrupt where the platform cannot tell), Corrupt when it is not what it
   *   should be, what `input` throws
   */
  expand(kind: StreamKind, input: AsyncIterable<Uint8Array>, what: string): AsyncIterable<Uint8Array>;
}

/** zlib's own parameters; `kind` as InflateKind. */
export interface DeflateSettings {
  readonly kind: InflateKind;
  readonly level: number;
  readonly memLevel: number;
  readonly windowBits: number;
}

/**
 * Compresses one block after another.
 * @returns the bytes put into `target` from its beginning; undefined when the stream is not shorter than `target`
 */
export type Compress = (block: Uint8Array, target: Uint8Array) => number | undefined;
