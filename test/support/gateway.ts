import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createLookUpCounts } from '../../aws/dynamodb/look-up-counts.ts';
import { createUsageRepository } from '../../aws/dynamodb/usage.ts';
import { type Config, parseConfig } from '../../core/config.ts';
import type { Duty } from '../../core/duties/duty.ts';
import { Unauthenticated } from '../../core/errors.ts';
import type { Caller } from '../../core/identity/caller.ts';
import { createLookUps } from '../../core/identity/look-ups.ts';
import { countedImages } from '../../core/images/counted.ts';
import type { Image } from '../../core/images/image.ts';
import type { PolicyPort } from '../../core/policy/port.ts';
import { configuredLimits } from '../../core/quota/limited-resources.ts';
import type { GatewayDeps } from '../../gateway/deps.ts';
import { createGatewayServer } from '../../gateway/serve.ts';
import { createGateway, type GatewayOptions } from '../../gateway/server.ts';
import { anImage } from './images.ts';
import { type S3Rig, startPlaces } from './s3-places.ts';
import { dutiesOf, startTable } from './table.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Sent {
  readonly headers?: OutgoingHttpHeaders;
  /** Chunks are sent one by one, without a length unless `headers` give one. */
  readonly body?: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** A gateway over embedded S3 and DynamoDB; the token names the caller (`demo`, `admin`, …). */
export interface GatewayRig {
  readonly deps: GatewayDeps;
  readonly s3: S3Rig;
  readonly port: number;
  readonly config: Config;
  /** Rules that fail, for everybody. */
  readonly denied: Set<string>;
  /** What the key manager holds, by id. */
  readonly certificates: Map<string, Uint8Array>;
  image(attributes?: Partial<Image>): Promise<Image>;
  show(id: string): Promise<Image | undefined>;
  send(method: string, path: string, sent?: Sent): Promise<Answer>;
  duties(): Promise<Duty[]>;
  /** Connections of clients. */
  open(): number;
  close(): Promise<void>;
}

export const OCTETS = { 'content-type': 'application/octet-stream' };

function aCaller(project: string, attributes: Partial<Caller> = {}): Caller {
  return {
    userId: project,
    userName: project,
    userDomainId: 'default',
    projectId: project,
    projectName: project,
    projectDomainId: 'default',
    domainId: null,
    systemScope: null,
    roles: ['member'],
    serviceRoles: [],
    serviceUserId: null,
    serviceProjectId: null,
    isAdmin: project === 'admin',
    requestId: 'req-test',
    ...attributes,
  };
}

export async function startGateway(
  settings: Record<string, unknown> = {},
  options: GatewayOptions = {},
): Promise<GatewayRig> {
  const config = parseConfig({
    stores: [
      { id: 'central', bucket: 'central', default: true },
      { id: 'plain', bucket: 'plain', sparse: false },
    ],
    ...settings,
  });
  const [database, s3] = await Promise.all([startTable(), startPlaces(config)]);
  const clock = { now: () => Date.now() };
  const denied = new Set<string>();
  const certificates = new Map<string, Uint8Array>();
  const policy: PolicyPort = { allows: async (rule) => !denied.has(rule) };
  const imageList = {
    page: (): never => {
      throw new Error('the gateway lists nothing');
    },
    usageOf: async () => ({ storedBytes: 0, stagedBytes: 0, images: 0, uploading: 0 }),
  };
  const counter = {
    config,
    clock,
    imageList,
    usage: createUsageRepository(database.table, { clock }),
    limits: configuredLimits(config),
  };
  const images = countedImages(createImageRepository(database.table, { clock }), counter);
  const duties = dutiesOf(database);
  const deps: GatewayDeps = {
    ...counter,
    newId: randomUUID,
    images,
    duties,
    policy,
    members: { get: async () => undefined } as unknown as GatewayDeps['members'],
    bytes: s3.places,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    places: s3.places,
    lookUps: createLookUps(clock, createLookUpCounts(database.table)),
    keyManager: { secret: async (id) => certificates.get(id) },
    authenticator: {
      async authenticate({ token, requestId }) {
        if (token === undefined) throw new Unauthenticated('The request you have made requires authentication.');
        return aCaller(token, { requestId });
      },
    },
  };
  const { server } = createGatewayServer(createGateway(deps, options));
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    deps,
    s3,
    port,
    config,
    denied,
    certificates,
    async image(attributes) {
      const image = anImage({ diskFormat: 'raw', containerFormat: 'bare', ...attributes });
      await images.create(image);
      return image;
    },
    show: (id) => images.get(id),
    send: (method, path, sent) => exchange(port, method, path, sent),
    duties: () => duties.due(Number.MAX_SAFE_INTEGER / 10, 100),
    open: () => connections.size,
    async close() {
      server.closeAllConnections();
      server.close();
      await Promise.all([s3.close(), database.close()]);
    },
  };
}

/** One request on a connection of its own. */
function exchange(port: number, method: string, path: string, { headers = {}, body }: Sent = {}): Promise<Answer> {
  const sentHeaders = Object.fromEntries(
    Object.entries({ 'x-auth-token': 'demo', ...headers }).filter(([, value]) => value !== undefined),
  );
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port, host: '127.0.0.1', method, path, agent: false, headers: sentHeaders },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    outgoing.on('error', reject);
    if (body === undefined || body instanceof Uint8Array) outgoing.end(body);
    else void feed(outgoing, body);
  });
}

async function feed(
  outgoing: ReturnType<typeof request>,
  body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  let wake = (): void => undefined;
  outgoing.on('drain', () => wake()).on('close', () => wake());
  for await (const chunk of body) {
    if (outgoing.destroyed) return;
    if (outgoing.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  outgoing.end();
}
