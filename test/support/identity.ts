import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { exportJWK, generateKeyPair } from 'jose';
import { createIdentityRepository } from '../../aws/dynamodb/identity.ts';
import type { Table } from '../../aws/dynamodb/table.ts';
import { type BootstrapPasswords, bootstrapIdentity } from '../../core/identity/bootstrap.ts';
import { createIdentity, type Identity } from '../../core/identity/identity.ts';
import type { IdentityRepository } from '../../core/identity/repository.ts';
import { createTokenSigner, type SigningKey } from '../../core/identity/token.ts';
import { decodedPath } from '../../local/http-api/event.ts';

export const PASSWORDS: BootstrapPasswords = {
  admin: 'admin-secret',
  demo: 'demo-secret',
  alt: 'alt-secret',
  reader: 'reader-secret',
  service: 'service-secret',
};

/** A clock that tests move. It starts with a minute and ticks a millisecond whenever it is read. */
export interface MovableClock {
  now(): number;
  advance(ms: number): void;
}

export function movableClock(): MovableClock {
  let nowMs = Math.floor(Date.now() / 60_000) * 60_000;
  return {
    now: () => {
      nowMs += 1;
      return nowMs;
    },
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

export async function newSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return exportJWK(privateKey);
}

/** A bootstrapped identity service over a table; call again with the same key for a second process. */
export async function startIdentity(
  table: Table,
  clock: MovableClock,
  key?: SigningKey,
  seenAs: (repository: IdentityRepository) => IdentityRepository = (repository) => repository,
): Promise<Identity> {
  const identity = createIdentity({
    repository: seenAs(createIdentityRepository(table, clock)),
    clock,
    newId: () => crypto.randomUUID(),
    signer: await createTokenSigner([key ?? (await newSigningKey())]),
    tokenLifetimeSeconds: 3600,
  });
  await bootstrapIdentity(identity, { passwords: PASSWORDS, origin: 'random' });
  return identity;
}

/** A request as API Gateway passes it (payload format 2.0). */
export function proxyEvent(
  method: string,
  target: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: unknown } = {},
): APIGatewayProxyEventV2 {
  const [rawPath = '/', rawQueryString = ''] = target.split('?');
  return {
    version: '2.0',
    routeKey: '$default',
    // As an HTTP API passes it.
    rawPath: decodedPath(rawPath),
    rawQueryString,
    headers: { host: 'glimpse.test', ...headers },
    requestContext: {
      accountId: '0',
      apiId: 'test',
      domainName: 'glimpse.test',
      domainPrefix: 'test',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'test',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
