/** An image's bytes, range by range: by a link that leads past the gateway where the service gives one, else through it. */
import type { Client } from '../../api/client.ts';
import { kindOf } from '../../api/errors.ts';
import { call, textOf } from '../transfer/http.ts';

export interface RangeReader {
  /**
   * The bytes of a range as they arrive; there may be fewer when the connection breaks, and whoever reads counts.
   * @throws LinkRefused when the link is not taken; the service's error kinds; Error of a connection that broke
   */
  read(start: number, length: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** An object store did not take a link: it has expired, or the store is busy. Another try asks for another link. */
export class LinkRefused extends Error {}

/** A link lives for a minute; it is not used up to its last second, which another clock counts. Milliseconds since it was given. */
const LINK_MS = 40_000;
/** A service that gives no link for this image, or none at all. */
const NO_LINK: ReadonlySet<string> = new Set(['Conflict', 'NotFound', 'MethodNotAllowed', 'NotImplemented']);

interface Link {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly givenAt: number;
}

/** @param size bytes of the image */
export function rangeReader(client: Client, imageId: string, size: number): RangeReader {
  let link: Promise<Link | undefined> | undefined;
  let isPlain = true;
  const ask = async (): Promise<Link | undefined> => {
    try {
      const { url, headers } = await client.createLink({ params: { id: imageId } });
      return { url, headers, givenAt: performance.now() };
    } catch (error) {
      if (!NO_LINK.has(kindOf(error) ?? '')) throw error;
      isPlain = false;
      return undefined;
    }
  };
  const current = async (): Promise<Link | undefined> => {
    if (!isPlain) return undefined;
    link ??= ask().catch((error: unknown) => {
      link = undefined;
      throw error;
    });
    const known = await link;
    if (known === undefined || performance.now() - known.givenAt < LINK_MS) return known;
    link = ask();
    return link;
  };
  return {
    async read(start, length, signal) {
      const range = `bytes=${start}-${start + length - 1}`;
      const known = await current();
      if (known === undefined) {
        const whole = start === 0 && length === size;
        return client.downloadImage({ params: { id: imageId }, headers: whole ? {} : { range } });
      }
      const answer = await call(known.url, { method: 'GET', headers: { ...known.headers, range }, signal });
      if (answer.statusCode === 206) return answer;
      link = undefined;
      throw new LinkRefused(`the store answered ${answer.statusCode} ${(await textOf(answer)).slice(0, 200)}`);
    },
  };
}
