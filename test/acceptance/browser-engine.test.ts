import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memorySource } from '../../formats/engine/source.ts';
import { type Inspection, inspect } from '../../formats/inspect.ts';

/**
 * The engine in a browser: bundled without externals, so that an import of Node's fails the build, and asked in Chromium about
 * every image of the repository and of the corpus. It says what it says on Node.
 */
const ROOT = join(import.meta.dirname, '../..');
const CORPUS = process.env['GLIMPSE_CORPUS'] ?? join(ROOT, '../shared/corpus');
const FIXTURES = join(ROOT, 'test/fixtures/formats/engine');
const CHROMIUM = process.env['GLIMPSE_CHROMIUM'] ?? '/usr/bin/chromium';
const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser) process.stdout.write(`skipped: no browser at ${CHROMIUM} (set GLIMPSE_CHROMIUM)\n`);

interface Row {
  readonly name: string;
  /** Path of the image, gzip. */
  readonly path: string;
}

function rowsOf(folder: string, manifest: string): Row[] {
  const path = join(folder, manifest);
  if (!existsSync(path)) {
    process.stdout.write(`skipped: no corpus at ${folder} (set GLIMPSE_CORPUS)\n`);
    return [];
  }
  const parsed = JSON.parse(readFileSync(path, 'utf8')) as { files?: unknown };
  const rows = (parsed.files ?? parsed) as { name: string; file: string }[];
  return rows.map(({ name, file }) => ({ name, path: join(folder, file) }));
}

const ROWS = [...rowsOf(FIXTURES, 'expected.json'), ...rowsOf(CORPUS, 'manifest.json')];
const imageOf = (row: Row): Uint8Array => gunzipSync(readFileSync(row.path));

/** What the page offers to the test. */
const ENTRY = `
import { memorySource } from './formats/engine/source.ts';
import { inspect } from './formats/inspect.ts';
globalThis.inspectAt = async (url) => {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  return JSON.stringify(await inspect(memorySource(bytes)));
};
globalThis.isLoaded = true;
`;

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    logLevel: 'silent',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('esbuild gave no file');
  return file.text;
}

function serve(script: string): Promise<Server> {
  const server = createServer((request, response) => {
    const [, image] = /^\/image\/(\d+)$/.exec(request.url ?? '') ?? [];
    if (image !== undefined) response.end(imageOf(ROWS[Number(image)]!));
    else if (request.url === '/engine.js') response.setHeader('content-type', 'text/javascript').end(script);
    else response.setHeader('content-type', 'text/html').end('<script type="module" src="/engine.js"></script>');
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

describe('the engine, bundled for a browser', () => {
  it('takes in nothing of Node', async () => {
    const script = await bundle();

    expect(script).not.toMatch(/\bnode:|\bBuffer\b|\bprocess\./);
  });
});

describe.skipIf(!hasBrowser)('the engine in Chromium', () => {
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    server = await serve(await bundle());
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage'],
    });
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction('globalThis.isLoaded === true');
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it.each(ROWS.map((row, index) => [row.name, index] as const))('says of %s what it says on Node', async (_, index) => {
    const said = JSON.parse(await page.evaluate<string>(`inspectAt('/image/${index}')`)) as Inspection;

    const expected = JSON.parse(JSON.stringify(await inspect(memorySource(imageOf(ROWS[index]!))))) as Inspection;
    expect(said).toEqual(expected);
  });
});
