/** The three key managers: what each gives, what it keeps to itself, and what happens while it is away. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { certificatesInSecretsManager } from '../../aws/certificates.ts';
import { BackendUnavailable, InvalidInput, Throttled } from '../../core/errors.ts';
import { MOST_CERTIFICATE_BYTES } from '../../core/signatures/certificate.ts';
import { certificateFolder } from '../../files/certificate-folder.ts';
import { certificatesInBarbican } from '../../keystone/barbican.ts';
import { aSigner, asPem } from '../support/signer.ts';

const { certificate } = aSigner();
const PEM = Buffer.from(asPem(certificate));
const ID = randomUUID();
const CALLER = { token: 'the token of a user' };

interface Seen {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Answering = (request: Seen, response: ServerResponse) => void;

let answering: Answering;
const seen: Seen[] = [];
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() };
  seen.push(one);
  answering(one, response);
});
const urlOf = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});
beforeEach(() => void seen.splice(0));

describe('files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glimpse-certificates-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const at = (): string => join(folder, `${ID}.pem`);

  it.each([PEM, certificate])('gives what lies under the id, as soon as it lies there', async (bytes) => {
    const manager = certificateFolder(folder);
    expect(await manager.secret(ID, {})).toBeUndefined();
    await writeFile(at(), bytes);
    expect(bytes.equals((await manager.secret(ID, {})) ?? Buffer.alloc(0))).toBe(true);
  });

  it('reads no more of a file than a certificate may have', async () => {
    await writeFile(at(), Buffer.alloc(10_000_000));
    expect(await certificateFolder(folder).secret(ID, {})).toHaveLength(MOST_CERTIFICATE_BYTES + 1);
  });

  it.each([
    ['a folder', (path: string) => mkdir(path)],
    ['a link to itself', (path: string) => symlink(path, path)],
    ['a device', (path: string) => symlink('/dev/zero', path)],
  ])('takes %s for nothing', async (_name, make) => {
    await make(at());
    expect(await certificateFolder(folder).secret(ID, {})).toBeUndefined();
  });

  it('has nothing in a folder that is missing', async () => {
    expect(await certificateFolder(join(folder, 'none')).secret(ID, {})).toBeUndefined();
  });
});

describe('AWS Secrets Manager', () => {
  const manager = () => certificatesInSecretsManager('glimpse/certificates/');
  const json = (response: ServerResponse, body: unknown, status = 200, kind?: string) =>
    response
      .writeHead(status, { 'content-type': 'application/x-amz-json-1.1', ...(kind && { 'x-amzn-errortype': kind }) })
      .end(JSON.stringify(body));

  beforeEach(() => {
    vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', urlOf());
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  });
  afterEach(() => vi.unstubAllEnvs());

  it('gives text and binary of the secret with prefix and id as its name, and sends no token there', async () => {
    answering = (_request, response) => json(response, { SecretString: PEM.toString() });
    expect(Buffer.from((await manager().secret(ID, CALLER)) ?? []).equals(PEM)).toBe(true);
    answering = (_request, response) => json(response, { SecretBinary: certificate.toString('base64') });
    expect(Buffer.from((await manager().secret(ID, CALLER)) ?? []).equals(certificate)).toBe(true);

    expect(seen.map(({ headers, body }) => [headers['x-amz-target'], JSON.parse(body)])).toEqual([
      ['secretsmanager.GetSecretValue', { SecretId: `glimpse/certificates/${ID}` }],
      ['secretsmanager.GetSecretValue', { SecretId: `glimpse/certificates/${ID}` }],
    ]);
    expect(JSON.stringify(seen)).not.toContain(CALLER.token);
  });

  it.each(['ResourceNotFoundException', 'AccessDeniedException', 'InvalidRequestException', 'DecryptionFailure'])(
    'has nothing when it answers %s',
    async (kind) => {
      answering = (_request, response) => json(response, { message: 'what is inside' }, 400, kind);
      expect(await manager().secret(ID, CALLER)).toBeUndefined();
    },
  );

  it('is away when it fails, also when it is asked again', async () => {
    answering = (_request, response) => json(response, { message: 'what is inside' }, 500, 'InternalServiceError');

    const asking = manager().secret(ID, CALLER);

    await expect(asking).rejects.toThrow(BackendUnavailable);
    await expect(asking).rejects.toThrow('The key manager is not available; try again later.');
    expect(seen.length).toBeGreaterThan(1);
  });

  it('may be asked too much', async () => {
    answering = (_request, response) => json(response, {}, 400, 'ThrottlingException');
    await expect(manager().secret(ID, CALLER)).rejects.toThrow(Throttled);
  });
});

describe('Barbican', () => {
  const waits: number[] = [];
  const manager = (endpoint = urlOf()) =>
    certificatesInBarbican(endpoint, { wait: async (ms: number) => void waits.push(ms) });
  const json = (response: ServerResponse, body: unknown, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const holds =
    (payload: Uint8Array, view: object = {}): Answering =>
    ({ path }, response) => {
      if (path.endsWith('/payload')) response.end(payload);
      else json(response, { secret_type: 'certificate', content_types: { default: 'application/pkix-cert' }, ...view });
    };
  beforeEach(() => void waits.splice(0));

  it.each(['', '/', '/v1', '/v1/'])(
    'is asked with the token of the caller, at an endpoint that ends with "%s"',
    async (end) => {
      answering = holds(certificate);

      expect(Buffer.from((await manager(urlOf() + end).secret(ID, CALLER)) ?? []).equals(certificate)).toBe(true);

      expect(seen.map(({ path, headers }) => [path, headers['x-auth-token'], headers.accept])).toEqual([
        [`/v1/secrets/${ID}`, CALLER.token, 'application/json'],
        [`/v1/secrets/${ID}/payload`, CALLER.token, 'application/pkix-cert'],
      ]);
    },
  );

  it.each([
    ['private', {}],
    ['symmetric', {}],
    ['opaque', {}],
    ['certificate', { content_types: { default: 'text/html' } }],
    [42, {}],
  ])('does not fetch a secret of type %s, as %j', async (secret_type, more) => {
    answering = holds(PEM, { secret_type, ...more });
    expect(await manager().secret(ID, CALLER)).toBeUndefined();
    expect(seen).toHaveLength(1);
  });

  it.each([401, 403, 404])('has nothing when it answers %s, and is asked once', async (status) => {
    answering = (_request, response) => json(response, { description: 'what is inside' }, status);
    expect(await manager().secret(ID, CALLER)).toBeUndefined();
    expect(seen).toHaveLength(1);
  });

  it('has nothing when it answers no JSON', async () => {
    answering = (_request, response) => response.end('<html>');
    expect(await manager().secret(ID, CALLER)).toBeUndefined();
  });

  it('reads no more than a certificate may have', async () => {
    answering = holds(Buffer.alloc(10_000_000));
    expect(await manager().secret(ID, CALLER)).toHaveLength(MOST_CERTIFICATE_BYTES + 1);
  });

  it('is asked three times, then it is away', async () => {
    answering = (_request, response) => json(response, { description: 'what is inside' }, 503);

    await expect(manager().secret(ID, CALLER)).rejects.toThrow(
      new BackendUnavailable('The key manager is not available; try again later.'),
    );

    expect(seen).toHaveLength(3);
    expect(waits).toEqual([200, 400]);
  });

  it('that comes back in between gives what it has', async () => {
    answering = (request, response) => (seen.length === 1 ? response.destroy() : holds(PEM)(request, response));
    expect(Buffer.from((await manager().secret(ID, CALLER)) ?? []).equals(PEM)).toBe(true);
  });

  it('leads nowhere else', async () => {
    answering = (_request, response) => response.writeHead(302, { location: `${urlOf()}/elsewhere` }).end();
    await expect(manager().secret(ID, CALLER)).rejects.toThrow(BackendUnavailable);
    expect(seen.every(({ path }) => path === `/v1/secrets/${ID}`)).toBe(true);
  });

  it('answers nobody without a token, and says so', async () => {
    const asking = manager().secret(ID, {});
    await expect(asking).rejects.toThrow(InvalidInput);
    await expect(asking).rejects.toThrow('Barbican, which answers tokens of users only');
    expect(seen).toEqual([]);
  });
});
