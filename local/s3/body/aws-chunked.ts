import { S3Error } from '../errors.ts';

/** Longest chunk or trailer line accepted, in bytes: a size, a 64-digit signature, a header. */
const MAX_LINE_BYTES = 8 * 1024;

const MAX_CHUNK_BYTES = 5 * 1024 * 1024 * 1024;

/** Told of each chunk, for signature checks: the `chunk-signature` of its header, then its data in pieces, then its end. */
export interface ChunkObserver {
  begin(signature: string | undefined): void;
  data(bytes: Buffer): void;
  end(): void;
}

function malformed(what: string): S3Error {
  return new S3Error('InvalidRequest', `aws-chunked body: ${what}`);
}

/**
 * Streaming decoder of `Content-Encoding: aws-chunked`, signed or not, with or without trailers. Data is passed on as views
 * of the input, without copying. Source: Amazon S3 API reference, "Authenticating requests: transferring payload in
 * multiple chunks".
 */
export class AwsChunkedDecoder {
  /** Trailer headers, lower case, complete once `finish` has returned. */
  readonly trailers = new Map<string, string>();
  readonly #onData: (bytes: Buffer) => void;
  readonly #observer: ChunkObserver | undefined;
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size';
  #line = '';
  #left = 0;

  constructor(onData: (bytes: Buffer) => void, observer?: ChunkObserver) {
    this.#onData = onData;
    this.#observer = observer;
  }

  /** Decodes the next bytes of the body. Throws InvalidRequest on broken framing. */
  push(bytes: Buffer): void {
    let position = 0;
    while (position < bytes.length) {
      position = this.#state === 'data' ? this.#takeData(bytes, position) : this.#takeLine(bytes, position);
    }
  }

  /** Checks that the final chunk was seen. Throws IncompleteBody. */
  finish(): void {
    // Without trailers some senders leave out the empty line after the last chunk.
    if (this.#state !== 'done' && !(this.#state === 'trailer' && this.#line === ''))
      throw new S3Error('IncompleteBody');
  }

  #takeData(bytes: Buffer, position: number): number {
    const piece = bytes.subarray(position, position + this.#left);
    this.#observer?.data(piece);
    this.#onData(piece);
    this.#left -= piece.length;
    if (this.#left === 0) {
      this.#observer?.end();
      this.#state = 'data-end';
    }
    return position + piece.length;
  }

  #takeLine(bytes: Buffer, position: number): number {
    const newline = bytes.indexOf(10, position);
    const end = newline === -1 ? bytes.length : newline;
    this.#line += bytes.toString('latin1', position, end);
    if (this.#line.length > MAX_LINE_BYTES) throw malformed('line too long');
    if (newline === -1) return end;
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    this.#onLine(line);
    return end + 1;
  }

  #onLine(line: string): void {
    if (this.#state === 'size') this.#onSize(line);
    else if (this.#state === 'data-end') {
      if (line !== '') throw malformed('chunk longer than its size');
      this.#state = 'size';
    } else if (this.#state === 'trailer') this.#onTrailer(line);
    else if (line !== '') throw malformed('bytes after the end');
  }

  #onSize(line: string): void {
    const match = /^([0-9a-f]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(line);
    const size = Number.parseInt(match?.[1] ?? '', 16);
    if (match === null || size > MAX_CHUNK_BYTES) throw malformed('bad chunk size');
    this.#observer?.begin(match[2]);
    if (size === 0) this.#observer?.end();
    this.#left = size;
    this.#state = size === 0 ? 'trailer' : 'data';
  }

  #onTrailer(line: string): void {
    if (line === '') {
      this.#state = 'done';
      return;
    }
    const colon = line.indexOf(':');
    if (colon < 1) throw malformed('bad trailer');
    this.trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}
