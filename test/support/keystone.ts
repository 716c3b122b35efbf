import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Config, parseConfig } from '../../core/config.ts';
import type { Identity } from '../../core/identity/identity.ts';
import { createIdentityApi } from '../../functions/api/identity/api.ts';
import { connectKeystone, type KeystoneConnection } from '../../keystone/connection.ts';
import { httpApi } from '../../local/http-api/http-api.ts';
import { held } from './held.ts';
import { type MovableClock, movableClock, PASSWORDS, startIdentity } from './identity.ts';
import { startTable } from './table.ts';

/** Our own identity service in the place of a Keystone; the real one is for the acceptance tests. */
export interface KeystoneStandIn {
  readonly clock: MovableClock;
  readonly identity: Identity;
  /** `METHOD /path` of every request, oldest first; `forget` empties it. */
  readonly requests: readonly string[];
  forget(): void;
  /** Answers GET requests instead of the service; what it leaves alone by returning false, the service answers. */
  instead: ((response: ServerResponse, request: IncomingMessage) => unknown) | undefined;
  /** The `identity` part of a configuration that names it, with the service user of the bootstrap unless said otherwise. */
  settings(different?: Partial<Config['identity']>): Config['identity'];
  connect(different?: Partial<Config['identity']>): KeystoneConnection;
  close(): Promise<void>;
}

export async function startKeystoneStandIn(): Promise<KeystoneStandIn> {
  const running = await startTable();
  const clock = movableClock();
  const identity = await startIdentity(running.table, clock);
  const requests: string[] = [];
  const listener = httpApi({
    handler: held(
      createIdentityApi({
        config: parseConfig({ stores: [{ id: 'central', bucket: 'central' }] }),
        identity,
        newId: () => crypto.randomUUID(),
        log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      }),
    ),
  });
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const taken = request.method === 'GET' && standIn.instead !== undefined;
    if (!taken || standIn.instead?.(response, request) === false) void listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const standIn: KeystoneStandIn = {
    clock,
    identity,
    requests,
    forget: () => requests.splice(0),
    instead: undefined,
    settings: (different = {}) =>
      parseConfig({
        stores: [{ id: 'central', bucket: 'central' }],
        identity: {
          mode: 'keystone',
          auth_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/identity`,
          username: 'service',
          password: PASSWORDS.service,
          ...different,
        },
      }).identity,
    connect: (different) => connectKeystone(standIn.settings(different), clock),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await running.close();
    },
  };
  return standIn;
}

/** An answer in JSON. */
export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
