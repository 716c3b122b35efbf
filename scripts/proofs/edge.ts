/** What stands between a client and the service: caches, decoded paths, time-outs, addresses. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expectSame, type Proof, type Stage, show } from './proof.ts';

const NEVER = '00000000-0000-4000-8000-000000000000';

const challenge: Proof = {
  name: 'challenge',
  says: 'a 401 is kept by no cache and names the public identity service, from API and gateway alike',
  writes: false,
  async run(stage) {
    const found: string[] = [];
    for (const path of ['/v2/images', `/v2/images/${NEVER}/file`]) {
      const answer = await stage.call('GET', path, { token: null });
      await answer.arrayBuffer();
      expectSame(`GET ${path} without a token`, answer.status, 401);
      expectSame(`its Cache-Control`, answer.headers.get('cache-control'), 'no-store');
      found.push(answer.headers.get('www-authenticate') ?? '(no WWW-Authenticate)');
    }
    const host = new URL(stage.url).host;
    for (const header of found) if (!header.includes('Keystone uri=')) throw new Error(`it says ${header}`);
    // An existing Keystone has a host of its own; where both are ours they are one.
    if (new Set(found.map((header) => /uri="?\w+:\/\/([^/"']+)/.exec(header)?.[1])).size !== 1)
      throw new Error(`API and gateway name two services: ${found.join(' and ')}`);
    return `${found[0]} (asked at ${host})`;
  },
};

const noStore: Proof = {
  name: 'no-store',
  says: 'records and refusals behind a token are kept by no cache',
  writes: false,
  async run(stage) {
    for (const [path, status] of [
      ['/v2/images?limit=1', 200],
      [`/v2/images/${NEVER}`, 404],
      [`/v2/images/${NEVER}/file`, 404],
    ] as const) {
      const answer = await stage.call('GET', path);
      await answer.arrayBuffer();
      expectSame(`GET ${path}`, answer.status, status);
      expectSame(`its Cache-Control`, answer.headers.get('cache-control'), 'no-store');
    }
    return 'three answers of API and gateway';
  },
};

const errorCache: Proof = {
  name: 'error-cache',
  says: "another project's 404 does not answer the owner",
  writes: true,
  skip: (stage) => {
    if (!stage.hasCloudFront) return 'there is no CloudFront before this URL to keep an error';
    return stage.otherToken === undefined ? 'OS_TOKEN_OTHER, a token of another project, is not set' : undefined;
  },
  async run(stage) {
    const id = await stage.makeImage();
    for (const path of [`/v2/images/${id}`, `/v2/images/${id}/members`]) {
      const refused = await stage.call('GET', path, { token: stage.otherToken ?? null });
      await refused.arrayBuffer();
      expectSame(`GET ${path} by another project`, refused.status, 404);
      const owner = await stage.call('GET', path);
      await owner.arrayBuffer();
      expectSame(`GET ${path} by its owner right after`, owner.status, 200);
    }
    return 'asked within a second of each other';
  },
};

const NAMES = ['a b', '50%', '%25', 'what?', 'a&b=c', 'é', '日本'];

const encodedNames: Proof = {
  name: 'encoded-names',
  says: 'names arrive as they were sent, whatever decodes paths on the way',
  writes: true,
  async run(stage) {
    const id = await stage.makeImage();
    for (const name of NAMES) {
      const path = `/v2/images/${id}/tags/${encodeURIComponent(name)}`;
      expectSame(`PUT of the tag ${name}`, (await stage.call('PUT', path)).status, 204);
      expectSame('the tags', (await show(stage, id)).tags, [name]);
      expectSame(`DELETE of the tag ${name}`, (await stage.call('DELETE', path)).status, 204);
      expectSame('the tags after it', (await show(stage, id)).tags, []);
    }
    return NAMES.join(' · ');
  },
};

const slowPut: Proof = {
  name: 'slow-put',
  says: 'a slow, chunked upload of unknown length arrives whole',
  writes: true,
  skip: ({ isOnAws }: Stage) =>
    isOnAws ? undefined : 'no distribution or load balancer before this URL loses patience',
  async run(stage) {
    const script = join(import.meta.dirname, '../try-slow-upload.ts');
    const child = spawn(process.execPath, [script, stage.url, '--minutes', String(stage.slowMinutes)], {
      env: { ...process.env, NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said = text(child.stdout);
    const [code] = await once(child, 'exit');
    const line = (await said).trim().replaceAll('\n', '; ');
    if (code !== 0) throw new Error(line);
    return line;
  },
};

export const EDGE: readonly Proof[] = [challenge, noStore, errorCache, encodedNames, slowPut];
