/** The parts of a file on their way: each with its CRC32 to a URL of its own, several at once, and another URL for each try. */
import { crc32 } from 'node:zlib';
import { crc32Header } from '../../bytes/crc32.ts';
import { inLanes } from '../../bytes/in-lanes.ts';
import { call, textOf } from '../transfer/http.ts';
import { isWorthATry, type Tries, trying } from '../transfer/tries.ts';
import { inBatches } from './desk.ts';
import { type Cut, lanesFor, missingParts, type Part, type PartRange, partRange } from './parts.ts';

export interface SignedPart {
  readonly number: number;
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A place that takes parts: an upload session of the service. */
export interface PartPlace extends Cut {
  /** What is there. */
  present(): Promise<readonly Part[]>;
  /** URLs for parts of these lengths and checksums, in their order; @throws the service's error kinds */
  sign(parts: readonly Part[]): Promise<readonly SignedPart[]>;
}

export interface PartSource {
  /** Exactly these bytes of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** @throws when the file is another than at the beginning */
  assertUnchanged(): void;
}

export interface SendOptions {
  readonly parallel?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly tries?: Tries;
  /** Told the bytes that are there or on their way, and all of them. */
  onProgress?(phase: 'checking' | 'sending', done: number, total: number): void;
}

/** URLs are given for so many parts at a time. */
const SIGNED_AT_ONCE = 100;

/** A part that did not arrive; another try, by another URL, may go well. */
class PartFailed extends Error {}

/** The store knows the upload no more, whatever URL is used. */
export class UploadGone extends Error {}

/**
 * Sends what is missing. Parts that are there count when their CRC32 is that of the file's bytes; others are replaced.
 * @throws FileChanged by the source; UploadGone; the service's error kinds; Error of a connection that breaks again and again
 */
export async function sendParts(place: PartPlace, source: PartSource, options: SendOptions = {}): Promise<void> {
  const { size: total } = place;
  const kept = await unchangedParts(place, source, await place.present(), options);
  let done = kept.reduce((sum, { size }) => sum + size, 0);
  options.onProgress?.('sending', done, total);
  const sign = inBatches((parts: readonly Part[]) => trying(() => place.sign(parts), options), SIGNED_AT_ONCE);
  const todo = missingParts(place, kept);
  const lanes = lanesFor(place.partSize, options.parallel);
  await inLanes({ count: todo.length, lanes, signal: options.signal }, async (n) => {
    const range = todo[n] as PartRange;
    const bytes = await source.read(range.start, range.size);
    source.assertUnchanged();
    const part = { number: range.number, size: range.size, crc32: crc32Header(crc32(bytes)) };
    await sendPart(part, bytes, sign, options, (moved) => {
      done += moved;
      options.onProgress?.('sending', done, total);
    });
  });
  source.assertUnchanged();
}

/** Reads what an earlier command sent once more, so that nothing is taken for sent that is not what the file holds. */
async function unchangedParts(
  place: PartPlace,
  source: PartSource,
  present: readonly Part[],
  { onProgress, signal }: SendOptions,
): Promise<readonly Part[]> {
  const total = present.reduce((sum, { size }) => sum + size, 0);
  const good: Part[] = [];
  let read = 0;
  for (const part of present) {
    signal?.throwIfAborted();
    const { start, size } = partRange(place, part.number);
    if (size !== part.size) continue;
    if (crc32Header(crc32(await source.read(start, size))) === part.crc32) good.push(part);
    read += size;
    onProgress?.('checking', read, total);
  }
  return good;
}

async function sendPart(
  part: Part,
  bytes: Uint8Array,
  sign: (part: Part) => Promise<SignedPart>,
  options: SendOptions,
  onMoved: (bytes: number) => void,
): Promise<void> {
  await trying(
    async () => {
      const { url, method, headers } = await sign(part);
      let sent = 0;
      try {
        const answer = await call(url, {
          method,
          headers: withoutFramed(headers),
          body: bytes,
          signal: options.signal,
          onSent: (more) => {
            sent += more;
            onMoved(more);
          },
        });
        const text = await textOf(answer);
        if (answer.statusCode !== 200) throw refusal(part.number, answer.statusCode ?? 0, text);
      } catch (error) {
        onMoved(-sent);
        throw error;
      }
    },
    { ...options, isWorthATry: (error) => error instanceof PartFailed || isWorthATry(error) },
  );
}

/** `host` and `content-length` are signed too, and follow from URL and body. */
function withoutFramed(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(?:host|content-length)$/iu.test(name)));
}

/** What a store's refusal of a part means: gone is gone, all else (an expired URL, bytes that were damaged on their way, a busy store) is worth another URL. */
function refusal(number: number, status: number, text: string): Error {
  const code = /<Code>([^<]+)<\/Code>/.exec(text)?.[1] ?? '';
  const message = `part ${number}: the store answered ${status} ${code || text.slice(0, 200)}`;
  return code === 'NoSuchUpload' || code === 'NoSuchBucket' ? new UploadGone(message) : new PartFailed(message);
}
