import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { exportJWK, generateKeyPair } from 'jose';
import { createIdentityRepository } from '../../aws/dynamodb/identity.ts';
import { type Table, tableOf } from '../../aws/dynamodb/table.ts';
import { type BootstrapPasswords, bootstrapIdentity } from '../../core/identity/bootstrap.ts';
import { createIdentity, type Identity } from '../../core/identity/identity.ts';
import { createTokenSigner, type SigningKey } from '../../core/identity/token.ts';
import { openDynamoDb } from '../../local/dynamodb/server.ts';
import { serveJson } from '../../local/wire/json-rpc.ts';
import { TABLE } from '../../workflows/topology.ts';
import { createTable } from './table.ts';

/** A fresh table in the embedded DynamoDB (which, unlike dynalite alone, has transactions), in memory on a free port. */
export async function startTransactionalTable(): Promise<{ table: Table; close(): Promise<void> }> {
  const dynamodb = await openDynamoDb({ sweepIntervalMs: 0 });
  const server = createServer((req, res) => {
    const operation = String(req.headers['x-amz-target']).split('.').at(-1) ?? '';
    void serveJson(dynamodb.service, operation, req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await createTable(client);
  return {
    table: tableOf(client, TABLE.name),
    async close() {
      client.destroy();
      server.close();
      await once(server, 'close');
      await dynamodb.close();
    },
  };
}

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
export async function startIdentity(table: Table, clock: MovableClock, key?: SigningKey): Promise<Identity> {
  const identity = createIdentity({
    repository: createIdentityRepository(table, clock),
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
    rawPath,
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
