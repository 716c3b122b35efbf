/** Stock clients as tables: a row is one command as a person types it, and what must come of it. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, type Glimpse, startGlimpse } from '../../support/glimpse.ts';
import { type ImageClient, imageClient, type WireImage } from '../../support/image-client.ts';

/** Rows share the service and nothing else: each makes the images it needs, so that they can run side by side. */
export interface Row {
  readonly command: string;
  /** What the command is to do, for test names and docs/compatibility.md. */
  readonly says: string;
  /** Default: demo. */
  readonly as?: Account;
  readonly given?: (world: World) => Promise<WireImage>;
  readonly args?: (at: At) => readonly string[];
  /** Found in what it prints. */
  readonly prints?: readonly (string | RegExp)[];
  /** The command ends with an error, which reads so. */
  readonly fails?: string | RegExp;
  readonly after?: (at: At, output: string) => Promise<void>;
}

export interface World {
  readonly glimpse: Glimpse;
  readonly dir: string;
  /** A file of `CONTENT`. */
  readonly file: string;
  /** An address that serves `CONTENT`. */
  readonly uri: string;
  /** Project ids. */
  readonly project: Readonly<Record<Account, string>>;
  readonly images: (account: Account) => ImageClient;
}
export interface At extends World {
  readonly image: WireImage;
}

/** Starts with no signature of a format, so it is a raw disk. */
export const CONTENT = Buffer.from('what the clients upload '.repeat(50));
export const MD5 = createHash('md5').update(CONTENT).digest('hex');
export const NOBODY = '00000000-1111-2222-3333-444444444444';

/** The arguments of a command that names what it is about, and nothing else. */
export const about = ({ image: { id } }: At): string[] => [id];

const ACCOUNTS = ['admin', 'demo', 'alt', 'reader'] as const;

/** Starts a service for the tests of this file and stops it after them. */
export function useWorld(config: Readonly<Record<string, unknown>>): () => World {
  let world: World | undefined;
  const undo: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'glimpse-clients-'));
    undo.push(() => rm(dir, { recursive: true, force: true }));
    const file = join(dir, 'disk.raw');
    await writeFile(file, CONTENT);
    const web = createServer((_, response) => response.end(CONTENT));
    await new Promise<void>((resolve) => {
      web.listen(0, '127.0.0.1', resolve);
    });
    undo.push(async () => web.close());
    const glimpse = await startGlimpse({ config });
    undo.push(() => glimpse.stop());
    const ids = await Promise.all(ACCOUNTS.map(async (account) => [account, await projectOf(glimpse, account)]));
    world = {
      glimpse,
      dir,
      file,
      uri: `http://127.0.0.1:${(web.address() as AddressInfo).port}/disk.raw`,
      project: Object.fromEntries(ids) as Record<Account, string>,
      images: (account) => imageClient(glimpse, account),
    };
  });
  afterAll(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });
  return () => {
    if (world === undefined) throw new Error('the service has not started');
    return world;
  };
}

async function projectOf(glimpse: Glimpse, account: Account): Promise<string> {
  const response = await glimpse.api(account, 'GET', '/identity/v3/auth/tokens', {
    headers: { 'x-subject-token': await glimpse.token(account) },
  });
  return ((await response.json()) as { token: { project: { id: string } } }).token.project.id;
}

/**
 * One test per row, at most three commands at a time: a client is half a second of one core.
 * @param program a command, or the path of one
 */
export function testRows(program: string, rows: readonly Row[], world: () => World): void {
  it.concurrent.each(rows)('$command: $says', async (row) => {
    await inTurn(() => runRow(program, row, world()));
  });
}

async function runRow(program: string, row: Row, world: World): Promise<void> {
  const image = (await row.given?.(world)) ?? { id: NOBODY, status: 'none' };
  const at = { ...world, image };
  const args = [...row.command.split(' '), ...(row.args?.(at) ?? [])];
  const outcome = await world.glimpse.client(row.as ?? 'demo', program, args).then(
    (text) => ({ failed: false, text }),
    (error: Error) => ({ failed: true, text: error.message }),
  );

  expect(outcome, outcome.text).toMatchObject({ failed: row.fails !== undefined });
  expect(outcome.text).not.toMatch(/Traceback|<html|&#x27;|&quot;|object has no attribute/);
  for (const expected of [...(row.prints ?? []), ...(row.fails === undefined ? [] : [row.fails])])
    expect(flat(outcome.text)).toMatch(expected instanceof RegExp ? expected : new RegExp(escaped(expected)));
  await row.after?.(at, outcome.text);
}

/** Tables as lines of `name value`, and wrapped text as one line. */
function flat(text: string): string {
  return text.replaceAll('|', ' ').replace(/\s+/g, ' ');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

let free = 3;
const waiting: (() => void)[] = [];

async function inTurn(work: () => Promise<void>): Promise<void> {
  if (free > 0) free -= 1;
  else
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  try {
    await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }
}

/** Images in the states that commands start from. */
export const queued =
  (attributes: Record<string, unknown> = {}, account: Account = 'demo') =>
  (world: World): Promise<WireImage> =>
    world.images(account).create({ name: randomUUID(), disk_format: 'raw', ...attributes });

const withBytes =
  (what: 'file' | 'stage') =>
  (attributes: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  async (world: World): Promise<WireImage> => {
    const image = await queued(attributes)(world);
    expect(await world.images('demo').put(image.id, what, CONTENT, headers)).toBe(204);
    return world.images('demo').show(image.id);
  };
export const active = withBytes('file');
export const staged = withBytes('stage');

/** Active, and shared with project alt. */
export const sharedWithAlt =
  (status?: 'accepted' | 'rejected') =>
  async (world: World): Promise<WireImage> => {
    const image = await active({ visibility: 'shared' })(world);
    const members = `/v2/images/${image.id}/members`;
    await ok(world.glimpse.api('demo', 'POST', members, { body: { member: world.project.alt } }));
    if (status !== undefined)
      await ok(world.glimpse.api('alt', 'PUT', `${members}/${world.project.alt}`, { body: { status } }));
    return image;
  };

export const deactivated = async (world: World): Promise<WireImage> => {
  const image = await active()(world);
  await ok(world.glimpse.api('demo', 'POST', `/v2/images/${image.id}/actions/deactivate`));
  return image;
};

/** The image of the row as the service has it now, once no import holds it, must match. */
export const becomes =
  (expected: Record<string, unknown>) =>
  async ({ images, image }: At): Promise<void> => {
    expect(await images('admin').settled(image.id)).toMatchObject(expected);
  };

/** Likewise, for the image whose id the command printed. */
export const makes =
  (expected: Record<string, unknown>) =>
  async ({ images }: At, output: string): Promise<void> => {
    const id = /\| id +\| (\S+)/.exec(output)?.[1] ?? `no id in ${output}`;
    expect(await images('admin').settled(id)).toMatchObject(expected);
  };

export const isGone = async ({ glimpse, image }: At): Promise<void> => {
  expect((await glimpse.api('admin', 'GET', `/v2/images/${image.id}`)).status).toBe(404);
};

export async function ok(answer: Promise<Response>): Promise<Response> {
  const response = await answer;
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response;
}
