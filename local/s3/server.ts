/**
 * Embedded S3: the subset of the S3 REST API that Glimpse and its clients use, over `node:http` and `node:fs`, in one data
 * directory. It owns buckets, objects, multipart uploads, their bytes on disk and the object events. It leaves to others: the
 * port it listens on (`handle` is mounted by whoever owns it), where events go (`onEvent`), who may do what (`iam`), versions,
 * encryption, storage classes.
 *
 *   request -> parse -> faults -> signature -> route table -> strictness -> access -> operation -> reply
 *   dataDir/blobs/      immutable byte files, shared by reference between copies
 *   dataDir/journal/    every metadata change, one line each; replayed into memory at start
 *   dataDir/lock        one process at a time
 *
 * ETags are opaque (operations/objects.ts says which are MD5s and why not all are). An answered write survives the death of
 * the process; with `fsync` also that of the machine. Source: Amazon S3 API Reference, 2006-03-01.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Iam } from '../iam/iam.ts';
import { accessCheck } from './access.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { InjectedFault, S3Error, toldOf } from './errors.ts';
import type { EventListener } from './events.ts';
import { type Fault, Faults, parseFault } from './faults.ts';
import type { Service } from './operations/operation.ts';
import { isPartFrom } from './presigned-part.ts';
import { isLoopback, privatePath } from './private-paths.ts';
import { parseRequest, type Reply, readText, type S3Request } from './request.ts';
import { routeOf } from './routes.ts';
import { sendSlice } from './send.ts';
import { authorize, type SignaturePolicy } from './signature.ts';
import { Store } from './store/store.ts';
import { StrictS3, type StrictS3Options } from './strict.ts';
import { errorDocument } from './xml.ts';

/** Where tests of another process break and mend buckets; no bucket name can begin with an underscore. */
const FAULT_PATH = /^\/_glimpse\/s3\/faults\/([^/?]+)$/;

/** How an embedded S3 is made. */
export interface S3Options {
  /** Directory for all state; created when missing. */
  readonly dataDir: string;
  /** Takes object events of buckets with EventBridge switched on, at least once each; rejecting asks for a retry. */
  readonly onEvent?: EventListener;
  /** Milliseconds since the epoch; the wall clock by default. */
  readonly clock?: () => number;
  /** Wait for the medium before answering writes. Off by default: the page cache outlives the process. */
  readonly fsync?: boolean;
  /** Access key id to secret, `{ test: 'test' }` by default. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** Check header signatures and refuse anonymous requests too; presigned URLs are always checked. Off by default. */
  readonly verifySignatures?: boolean;
  /** Whose policies are asked before anything is done; absent: nobody's. */
  readonly iam?: Iam | undefined;
  /** Regions, limits and bad days as AWS has them; absent: none of them. */
  readonly strict?: StrictS3Options | undefined;
  /** Told of what was answered with 500 InternalError or cut off: a full disk, a missing blob. */
  readonly onError?: (error: unknown) => void;
}

/** A running embedded S3. */
export interface EmbeddedS3 {
  /** A plain `node:http` request listener; it answers every request it is given. */
  handle(message: IncomingMessage, response: ServerResponse): void;
  /** Whether a page of another site may send this request: a part of an upload by a valid presigned URL, where CORS names its origin. */
  isPartFrom(origin: string, message: IncomingMessage): boolean;
  /** Resolves when requests are served; rejects with DataDirLockedError or JournalError, whose message is one line. */
  readonly ready: Promise<void>;
  /** Injected failures; also `PUT` and `DELETE /_glimpse/s3/faults/{bucket}` from loopback, body `{status, code, ...}`. */
  readonly faults: { set(bucket: string, fault: Fault | undefined): void };
  /** Stops serving (503 from then on), finishes the journal and gives the directory back. */
  close(): Promise<void>;
}

/** What requests are answered with. */
interface Server {
  readonly service: Service;
  readonly policy: SignaturePolicy;
  readonly onError: ((error: unknown) => void) | undefined;
}

function isAnswer(error: unknown): error is S3Error | InjectedFault {
  return error instanceof S3Error || error instanceof InjectedFault;
}

function errorReply(error: unknown, bucket: string, requestId: string): Reply {
  const known = isAnswer(error) ? error : new S3Error('InternalError');
  const { code, message } = known;
  const elements = { ...toldOf(code, bucket), ...known.elements };
  if (known.status === 304) return { status: 304, headers: known.headers };
  return {
    status: known.status,
    headers: { ...known.headers, 'content-type': 'application/xml' },
    body: errorDocument({ code, message, elements }, requestId),
  };
}

function writeHead(response: ServerResponse, reply: Reply, extra: Readonly<Record<string, string>>): void {
  response.statusCode = reply.status;
  response.setHeader('server', 'AmazonS3');
  for (const [name, value] of Object.entries(extra)) response.setHeader(name, value);
  if (reply.body !== undefined) response.setHeader('content-type', 'application/xml');
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
}

async function send(
  response: ServerResponse,
  reply: Reply,
  extra: Readonly<Record<string, string>>,
  service: Service,
): Promise<void> {
  const { slice, body = '' } = reply;
  if (slice === undefined) {
    writeHead(response, reply, extra);
    const bytes = Buffer.from(body);
    if (reply.status !== 204 && reply.status !== 304 && !response.hasHeader('content-length')) {
      response.setHeader('content-length', bytes.length);
    }
    response.end(response.req.method === 'HEAD' ? undefined : bytes);
    return;
  }
  // Held before the first await: an overwrite or delete from now on leaves this reader its bytes.
  await service.store.holding(slice.segments, () => {
    writeHead(response, reply, extra);
    return sendSlice(response, service.store.blobs, slice);
  });
}

/** What a request comes to: its reply, at once where the operation has it at once. Throws S3Error. */
function perform(service: Service, request: S3Request, requestId: string): Reply | Promise<Reply> {
  const { name, run } = routeOf(request);
  const { strict, access } = service;
  const failed = (error: unknown): never => {
    const shown = access.shown(request, error);
    strict?.countFailure(name, shown);
    throw shown;
  };
  const done = (reply: Reply): Reply => {
    strict?.count(name, request, reply);
    return reply;
  };
  try {
    strict?.checkRequest(request, service.store.buckets.get(request.bucket)?.record);
    access.operation(request, name);
    const pending = run(service, request, requestId);
    return pending instanceof Promise ? pending.then(done, failed) : done(pending);
  } catch (error) {
    return failed(error);
  }
}

async function answer(server: Server, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const { service, policy, onError } = server;
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  const ids = { 'x-amz-request-id': requestId, 'x-amz-id-2': Buffer.from(requestId).toString('base64') };
  let request: S3Request | undefined;
  try {
    request = parseRequest(message);
    const bucket = service.store.buckets.get(request.bucket);
    service.faults.check(request.method, request.bucket, request.key);
    if (request.method === 'OPTIONS') {
      await send(response, { status: 200, headers: preflightHeaders(bucket, request) }, ids, service);
      return;
    }
    authorize(request, policy);
    const pending = perform(service, request, requestId);
    // A read is sent in the turn that looked it up, so its blobs are held before anyone can delete them.
    const reply = pending instanceof Promise ? await pending : pending;
    await send(response, reply, { ...ids, ...corsHeaders(bucket, request) }, service);
  } catch (error) {
    if (!isAnswer(error) && !response.destroyed && !message.destroyed) onError?.(error);
    if (response.headersSent || response.destroyed) {
      // The head is out or the client is gone: cutting the connection is the only honest answer left.
      response.destroy();
      return;
    }
    // What is left of the body is read and dropped, so that the connection can carry the next request.
    message.resume();
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    const cors = request === undefined ? {} : corsHeaders(service.store.buckets.get(request.bucket), request);
    await send(response, errorReply(error, request?.bucket ?? '', requestId), { ...ids, ...cors }, service);
  }
}

async function changeFault(
  faults: Faults,
  bucket: string,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = (status: number, text = ''): void =>
    void response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
  if (!isLoopback(message)) return reply(403);
  if (message.method !== 'PUT' && message.method !== 'DELETE') return reply(405);
  try {
    faults.set(bucket, message.method === 'PUT' ? parseFault(await readText(message)) : undefined);
    return reply(204);
  } catch (error) {
    return reply(400, error instanceof Error ? error.message : '');
  }
}

/** Makes an embedded S3 over a data directory. Failure to open it is reported by `ready`. */
export function createS3(options: S3Options): EmbeddedS3 {
  const clock = options.clock ?? Date.now;
  const { credentials = { test: 'test' }, verifySignatures = false, fsync = false } = options;
  const faults = new Faults();
  let server: Server | undefined;
  let opening: Promise<void>;
  try {
    const store = new Store({ dataDir: options.dataDir, onEvent: options.onEvent, clock, fsync });
    const strict = options.strict === undefined ? undefined : new StrictS3(options.strict);
    const access = accessCheck(options.iam, store);
    const service = { store, faults, verifySignatures, access, strict };
    // There are no sessions of roles, and so no secrets of theirs (local/iam/iam.ts): they sign with the secret of everybody here.
    const otherSecret = options.iam === undefined ? undefined : Object.values(credentials)[0];
    server = { service, policy: { credentials, verifySignatures, clock, otherSecret }, onError: options.onError };
    opening = Promise.resolve();
  } catch (error) {
    opening = Promise.reject(error);
    opening.catch(() => undefined);
  }
  return {
    ready: opening,
    faults,
    handle(message, response) {
      const fault = FAULT_PATH.exec(message.url ?? '')?.[1];
      if (message.url?.startsWith('/_glimpse/s3/') && fault === undefined)
        void privatePath({ strict: server?.service.strict, iam: options.iam }, message, response);
      else if (fault !== undefined) void changeFault(faults, decodeURIComponent(fault), message, response);
      else if (server === undefined) response.writeHead(503).end();
      else answer(server, message, response).catch(() => response.destroy());
    },
    isPartFrom: (origin, message) =>
      server !== undefined && isPartFrom(origin, message, server.service.store, server.policy),
    async close() {
      const store = server?.service.store;
      server = undefined;
      await store?.close();
    },
  };
}
