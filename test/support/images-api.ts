import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { createImageListing } from '../../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createMemberRepository } from '../../aws/dynamodb/members.ts';
import { createSourceSecrets } from '../../aws/dynamodb/source-secrets.ts';
import { createTaskRepository } from '../../aws/dynamodb/tasks.ts';
import { createUploadSessions } from '../../aws/dynamodb/upload-sessions.ts';
import { createUsageRepository } from '../../aws/dynamodb/usage.ts';
import { directIn } from '../../bytes/direct.ts';
import { parseConfig } from '../../core/config.ts';
import type { Deps } from '../../core/deps.ts';
import { NotFound, Unauthenticated } from '../../core/errors.ts';
import type { Caller } from '../../core/identity/caller.ts';
import { createLookUps } from '../../core/identity/look-ups.ts';
import { countedImages } from '../../core/images/counted.ts';
import type { DropProject, Dropped } from '../../core/imports/drop.ts';
import { configuredPeers } from '../../core/imports/peers.ts';
import type { JanitorDeps } from '../../core/janitor/janitor.ts';
import { createPolicy } from '../../core/policy/policy.ts';
import { configuredLimits } from '../../core/quota/limited-resources.ts';
import type { ApiHandler } from '../../functions/api/chain.ts';
import { createImagesApi } from '../../functions/api/images/api.ts';
import { decodedPath } from '../../local/http-api/event.ts';
import { nameId } from '../../service/name-id.ts';
import { held } from './held.ts';
import { type MemoryStore, memoryStore } from './memory/store.ts';
import { dutiesOf, startTable } from './table.ts';

/** Who the tests call as: the token is the name. */
export const CALLERS = {
  admin: { projectId: 'admin', roles: ['admin', 'manager', 'member', 'reader'], isAdmin: true },
  demo: { projectId: 'demo', roles: ['member', 'reader'], isAdmin: false },
  alt: { projectId: 'alt', roles: ['member', 'reader'], isAdmin: false },
  third: { projectId: 'third', roles: ['member', 'reader'], isAdmin: false },
  reader: { projectId: 'demo', roles: ['reader'], isAdmin: false },
  anonymous: { projectId: null, roles: ['reader'], isAdmin: false, isReadOnly: true },
  /** A member of demo through a service: the user's token and a service token beside it. */
  nova: { projectId: 'demo', roles: ['member', 'reader'], serviceRoles: ['service'], isAdmin: false },
  /** A service for itself, in a project of its own. */
  service: { projectId: 'services', roles: ['service', 'member', 'reader'], isAdmin: false },
  unscoped: { projectId: null, roles: [], isAdmin: false },
} as const;
export type CallerName = keyof typeof CALLERS;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any;
}

export interface Call {
  readonly as?: CallerName | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestApi {
  readonly deps: Deps & JanitorDeps;
  /** Objects under `drop/` of the staging bucket: by key. */
  readonly dropped: Map<string, Pick<Dropped, 'bucket' | 'etag' | 'size' | 'metadata'>>;
  /** What was done outside the table: sweeps, workflow starts and stops. */
  readonly effects: string[];
  /** The clock; starts at 2026-05-05T00:00:00Z, moves 1 ms per reading. */
  readonly time: { nowMs: number };
  /** `staging` and the stores, as clients reach them by URLs. */
  bucket(place: string): MemoryStore;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  close(): Promise<void>;
}

/** The real handler chain over an in-memory DynamoDB; bytes and workflows are recorded, tokens are names. */
export async function startImagesApi(
  config: Record<string, unknown> = {},
  overrides: Partial<Deps & JanitorDeps> = {},
): Promise<TestApi> {
  const database = await startTable();
  const { table, close } = database;
  const time = { nowMs: Date.parse('2026-05-05T00:00:00Z') };
  const clock = { now: () => time.nowMs++ };
  const effects: string[] = [];
  const record = async (...what: unknown[]) => {
    effects.push(what.join(' '));
  };
  const dropped: TestApi['dropped'] = new Map();
  const settings = parseConfig({ stores: [...STORES], ...config });
  const buckets = new Map(['staging', ...settings.stores.map(({ id }) => id)].map((id) => [id, memoryStore({ id })]));
  const of = (place: string) => buckets.get(place) as MemoryStore;
  const counter = {
    config: settings,
    clock,
    imageList: createImageListing(table),
    usage: createUsageRepository(table, { clock }),
    limits: configuredLimits(settings),
  };
  const deps: Deps & JanitorDeps = {
    ...counter,
    lookUps: createLookUps(clock),
    newId: randomUUID,
    images: countedImages(createImageRepository(table, { clock }), counter),
    members: createMemberRepository(table),
    locations: {
      find: async (url) =>
        url.startsWith('s3://central-bucket/') ? { store: 'central', size: Number(url.length) } : undefined,
    },
    metadefs: {} as Deps['metadefs'],
    policy: createPolicy({ newDefaults: settings.enforce_new_defaults }),
    tasks: createTaskRepository(table, clock),
    sourceSecrets: createSourceSecrets(table, { clock, keys: () => [new Uint8Array(32)] }),
    peers: configuredPeers(settings),
    duties: dutiesOf(database),
    storeAbilities: { known: async () => undefined },
    bytes: { removePrefix: (place, prefix) => record('sweep', place, prefix) },
    direct: directIn({ staging: of('staging'), of }),
    uploadSessions: createUploadSessions(table),
    workflows: {
      startImport: (task) => record('start', task.imageId),
      stop: (taskId) => record('stop', taskId),
      statusOf: async () => undefined,
      busySince: async () => undefined,
    },
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: (...facts) => void record('error', JSON.stringify(facts)),
    },
    keyManager: { secret: async () => undefined },
    nameId,
    findProject: async (name) => (Object.hasOwn(CALLERS, name) ? aProject(name) : undefined),
    dropBox: {
      async describe(key) {
        const found = dropped.get(key);
        if (found === undefined) throw new NotFound(key);
        return found;
      },
      async setAside(key, reason) {
        dropped.delete(key);
        await record('set aside', key, reason);
      },
    },
    ...overrides,
  };
  const handler = createImagesApi(deps, { authenticator: BY_NAME });
  return {
    deps,
    dropped,
    effects,
    time,
    close,
    bucket: of,
    call: callsOf(handler),
  };
}

/** Calls a handler as a client would, over the event of API Gateway. */
export function callsOf(unheld: ApiHandler): TestApi['call'] {
  const handler = held(unheld);
  return async (method, path, { as, body, headers = {} } = {}) => {
    const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const token = as === undefined ? {} : { 'x-auth-token': as };
    const result = await handler(anEvent(method, path, text, { ...token, ...headers }));
    const answered = result.headers ?? {};
    const isJson = String(answered['content-type'] ?? '').startsWith('application/json');
    return {
      status: result.statusCode ?? 0,
      headers: Object.fromEntries(Object.entries(answered).map(([name, value]) => [name, String(value)])),
      text: result.body ?? '',
      body: isJson ? JSON.parse(result.body ?? '') : undefined,
    };
  };
}

/** Tokens are names of CALLERS. */
export const BY_NAME = {
  authenticate: async ({ token, requestId }: { readonly token: string | undefined; readonly requestId: string }) =>
    callerOf(token, requestId),
};

export const aProject = (id: string, different: Partial<DropProject> = {}): DropProject => ({
  ...{ id, name: id, domainId: 'default', enabled: true },
  ...different,
});

const STORES = [
  { id: 'central', bucket: 'central-bucket', default: true, description: 'the centre' },
  { id: 'dcn0', bucket: 'dcn0-bucket' },
  { id: 'dcn1', bucket: 'dcn1-bucket' },
];

export function callerOf(token: string | undefined, requestId: string): Caller {
  const known = CALLERS[token as CallerName] as (typeof CALLERS)[CallerName] | undefined;
  if (known === undefined) throw new Unauthenticated('The request you have made requires authentication.');
  return {
    userId: `${token}-user`,
    userName: String(token),
    userDomainId: 'default',
    projectName: known.projectId,
    projectDomainId: 'default',
    domainId: null,
    systemScope: null,
    serviceRoles: [],
    serviceUserId: null,
    serviceProjectId: null,
    requestId,
    ...known,
  };
}

function anEvent(
  method: string,
  path: string,
  body: string | undefined,
  headers: Readonly<Record<string, string>>,
): APIGatewayProxyEventV2 {
  const [rawPath = '', rawQueryString = ''] = path.split('?');
  return {
    version: '2.0',
    routeKey: '$default',
    // As an HTTP API passes it.
    rawPath: decodedPath(rawPath),
    rawQueryString,
    headers: { host: 'glimpse.example.org', ...headers },
    requestContext: {
      accountId: '0',
      apiId: 'api',
      domainName: 'glimpse.example.org',
      domainPrefix: 'glimpse',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'x',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    ...(body !== undefined && { body }),
    isBase64Encoded: false,
  };
}
