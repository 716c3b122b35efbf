/** What a web server may answer to a download, over a connection: the whole file, in whatever words, or a refusal that names why. */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../core/config.ts';
import { FetchFailed } from '../../core/errors.ts';
import { createWeb } from '../../web/web.ts';
import { collect } from '../support/collect.ts';
import { fileAt } from '../support/web-server.ts';

const WEB = createWeb(
  parseConfig({
    stores: [{ id: 'central', bucket: 'central' }],
    import_filtering_opts: { allow_private_addresses: true, allowed_ports: [] },
  }),
);
const FILE = randomBytes(5000);

async function downloaded(uri: string): Promise<Buffer> {
  const { body } = await WEB.open({ uri }, new AbortController().signal);
  return Buffer.concat(await collect(body));
}

describe('a download', () => {
  it('asks for the file as it is', async () => {
    let asked: IncomingHttpHeaders = {};
    const uri = await fileAt((request, response) => {
      asked = request.headers;
      response.end(FILE);
    });

    expect(await downloaded(uri)).toEqual(FILE);
    expect(asked['accept-encoding']).toBe('identity');
  });

  it.each<[string, number, Record<string, string>]>([
    ['200', 200, {}],
    ['200 in no coding', 200, { 'content-encoding': 'Identity' }],
    ['203, as a proxy may', 203, {}],
    ['206 with all of it', 206, { 'content-range': `bytes 0-${FILE.length - 1}/${FILE.length}` }],
  ])('takes %s', async (_, status, headers) => {
    const uri = await fileAt((_request, response) => response.writeHead(status, headers).end(FILE));

    expect(await downloaded(uri)).toEqual(FILE);
  });

  it.each<[string, number, Record<string, string>, RegExp]>([
    ['gzip, though asked for none', 200, { 'content-encoding': 'gzip' }, /with Content-Encoding gzip, though asked/],
    ['Brotli, though asked for none', 203, { 'content-encoding': 'BR' }, /with Content-Encoding br, though asked/],
    ['a part of it', 206, { 'content-range': `bytes 0-99/${FILE.length}` }, /answered 206/],
    ['another part of it', 206, { 'content-range': `bytes 1-4999/${FILE.length}` }, /answered 206/],
    ['a part of something unknown', 206, { 'content-range': 'bytes 0-4999/*' }, /answered 206/],
    ['a part that it does not name', 206, {}, /answered 206/],
    ['nothing new', 304, {}, /answered 304/],
    ['no content', 204, {}, /answered 204/],
    ['not found', 404, {}, /answered 404 Not Found/],
  ])('refuses %s', async (_, status, headers, cause) => {
    const body = 'content-encoding' in headers ? gzipSync(FILE) : FILE;
    const uri = await fileAt((_request, response) => response.writeHead(status, headers).end(body));

    const failed = downloaded(uri);
    await expect(failed).rejects.toThrow(FetchFailed);
    await expect(failed).rejects.toThrow(cause);
  });

  it.each([
    [10, FILE],
    [11, /more than 10 redirects/],
  ] as const)('follows redirects: %d', async (count, expected) => {
    const uri = await fileAt((request, response) => {
      const hop = Number(new URL(request.url ?? '', 'http://x').searchParams.get('hop') ?? 0);
      if (hop < count) response.writeHead(302, { location: `/disk?hop=${hop + 1}` }).end();
      else response.end(FILE);
    });

    if (expected instanceof RegExp) await expect(downloaded(uri)).rejects.toThrow(expected);
    else expect(await downloaded(uri)).toEqual(expected);
  });
});
