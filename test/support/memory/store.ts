import { createHash, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AWS_ABILITIES } from '../../../aws/s3/bucket.ts';
import { abortReason } from '../../../bytes/abort-reason.ts';
import { crc32Header } from '../../../bytes/crc32.ts';
import type {
  Abilities,
  DirectAccess,
  Metadata,
  Multipart,
  ObjectFacts,
  ObjectVersion,
  RangedRead,
  ReadOptions,
  ResumedMultipart,
  SignedRequest,
  Store,
} from '../../../bytes/store.ts';
import { BackendUnavailable, NotFound } from '../../../core/errors.ts';
import { SourceChanged, Truncated } from '../../../formats/engine/errors.ts';

export interface MemoryStoreOptions {
  readonly id: string;
  /** Default: the id. */
  readonly bucket?: string;
  readonly sparse?: boolean;
  /** Stores of one service under the same credentials copy from each other; default `memory`, `process`. */
  readonly service?: string;
  readonly credentials?: string;
  /** Where it differs from Amazon S3. */
  readonly abilities?: Partial<Abilities>;
}

export interface StoredObject extends ObjectFacts {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** One call of the port; `getRange` is a connection of a ranged read, so that a continued one counts again. */
export interface StoreCall {
  readonly method:
    | 'headObject'
    | 'getRange'
    | 'getObject'
    | 'putObject'
    | 'putPart'
    | 'copyPart'
    | 'listParts'
    | 'complete'
    | 'copyObject'
    | 'removeObject'
    | 'removePrefix';
  readonly key: string;
}

export interface MemoryStore extends Store {
  /** By key. Tests may replace what stands here. */
  readonly objects: Map<string, StoredObject>;
  /** Keys of unfinished uploads, in the order begun. */
  readonly unfinished: () => string[];
  readonly calls: readonly StoreCall[];
  /** Makes calls fail or wait: asked before each one; what it throws (or rejects with) the call throws. */
  fault: ((call: StoreCall) => void | Promise<void>) | undefined;
  /** Asked after each call that changed something, before its answer: what it throws the call throws, as when the answer is lost. */
  answering: ((call: StoreCall) => void | Promise<void>) | undefined;
  /** The next connections of ranged reads break off after so many bytes each. */
  readonly breaks: number[];
  readonly direct: DirectAccess;
  /** What a client does with a request that stores a part: answers whether the store took it. */
  receive(request: SignedRequest, body: Uint8Array): boolean;
}

/** Bytes of a chunk of a ranged read: as a socket delivers them. */
const CHUNK = 64 * 1024;
/** Times a body that breaks off is continued. */
const RESUMES = 3;

/** A store in this process's memory, as strict as the port says; `fault` and `breaks` make it fail. */
export function memoryStore(options: MemoryStoreOptions): MemoryStore {
  return new MemoryBucket(options);
}

interface Part {
  readonly bytes: Buffer;
  readonly etag: string;
}

class MemoryBucket implements MemoryStore {
  readonly id: string;
  readonly kind = 's3';
  readonly bucket: string;
  readonly sparse: boolean;
  readonly abilities: Abilities;
  readonly service: string;
  readonly credentials: string;
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<MemoryUpload, string>();
  readonly calls: StoreCall[] = [];
  readonly breaks: number[] = [];
  fault: MemoryStore['fault'];
  answering: MemoryStore['answering'];

  constructor({
    id,
    bucket = id,
    sparse = true,
    service = 'memory',
    credentials = 'process',
    abilities,
  }: MemoryStoreOptions) {
    this.id = id;
    this.bucket = bucket;
    this.sparse = sparse;
    this.service = service;
    this.credentials = credentials;
    this.abilities = { ...AWS_ABILITIES, ...abilities };
  }

  unfinished = (): string[] => [...this.uploads.values()];

  canCopyFrom(other: Store): boolean {
    return other instanceof MemoryBucket && other.service === this.service && other.credentials === this.credentials;
  }

  async headObject(key: string, signal?: AbortSignal): Promise<ObjectFacts> {
    await this.begin('headObject', key, signal);
    const { etag, size, metadata } = this.object(key);
    return { etag, size, metadata };
  }

  readRange(key: string, start: number, end: number, options: ReadOptions = {}): RangedRead {
    return new MemoryRead(this, key, start, end, options);
  }

  async getObject(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    await this.begin('getObject', key, signal);
    return Uint8Array.from(this.object(key).bytes);
  }

  async putObject(
    key: string,
    body: Uint8Array,
    { signal, crc32: crc, contentType = 'application/octet-stream' }: Parameters<Store['putObject']>[2] = {},
  ): Promise<string> {
    await this.begin('putObject', key, signal);
    if (this.abilities.verifiesCrc32 && crc !== undefined && crc !== crc32(body)) throw this.unavailable(key);
    const etag = this.keep(key, Buffer.from(body), { contentType });
    await this.answering?.({ method: 'putObject', key });
    return etag;
  }

  multipart(key: string, signal?: AbortSignal, metadata?: Metadata): Multipart {
    return new MemoryMultipart(this, key, signal, { metadata: metadata && encoded(metadata), parts: new Map() });
  }

  async resumeMultipart(key: string, uploadId: string, signal?: AbortSignal): Promise<ResumedMultipart | undefined> {
    await this.begin('listParts', key, signal);
    const upload = this.upload(key, uploadId);
    if (upload === undefined) return undefined;
    const multipart = new MemoryMultipart(this, key, signal, upload);
    return { multipart, parts: new Map([...upload.parts].map(([n, { bytes }]) => [n, bytes.length])) };
  }

  readonly direct: DirectAccess = {
    signPart: async (key, uploadId, { number, size, crc32: crc }, seconds) => ({
      ...{ number, method: 'PUT', expiresAtMs: seconds * 1000 },
      headers: { 'content-length': String(size), 'x-amz-checksum-crc32': crc },
      url: `memory://${this.bucket}/${key}?${new URLSearchParams({ uploadId, number: String(number), size: String(size), crc })}`,
    }),
    signGet: async (key, seconds) => ({
      ...{ url: `memory://${this.bucket}/${key}`, method: 'GET', headers: {}, expiresAtMs: seconds * 1000 },
    }),
    listParts: async (key, uploadId) => {
      await this.begin('listParts', key);
      const parts = this.upload(key, uploadId)?.parts;
      const sorted = parts && [...parts].toSorted(([a], [b]) => a - b);
      return sorted?.map(([n, { bytes }]) => ({
        ...{ number: n + 1, size: bytes.length, crc32: crc32Header(crc32(bytes)) },
      }));
    },
    joinParts: async (key, uploadId) => {
      const upload = this.upload(key, uploadId);
      if (upload === undefined) throw this.unavailable(key);
      await new MemoryMultipart(this, key, undefined, upload).complete();
    },
  };

  receive({ url }: SignedRequest, body: Uint8Array): boolean {
    const { pathname, searchParams: asked } = new URL(url);
    const upload = this.upload(pathname.slice(1), asked.get('uploadId') ?? '');
    const isSigned = String(body.length) === asked.get('size') && crc32Header(crc32(body)) === asked.get('crc');
    if (upload === undefined || !isSigned) return false;
    upload.parts.set(Number(asked.get('number')) - 1, { bytes: Buffer.from(body), etag: etagOf(body) });
    return true;
  }

  upload(key: string, uploadId: string): MemoryUpload | undefined {
    return [...this.uploads].find(([{ id }, of]) => id === uploadId && of === key)?.[0];
  }

  async copyObject(
    from: ObjectVersion,
    key: string,
    { signal, metadata }: Parameters<Store['copyObject']>[2] = {},
  ): Promise<void> {
    await this.begin('copyObject', key, signal);
    const source = this.source(from);
    if (source.size > this.abilities.maxCopyBytes) throw this.unavailable(key);
    const replaced = metadata && encoded(metadata);
    this.keep(key, source.bytes, { contentType: source.contentType, metadata: replaced ?? source.metadata });
    await this.answering?.({ method: 'copyObject', key });
  }

  async removeObject(key: string): Promise<void> {
    await this.begin('removeObject', key);
    this.objects.delete(key);
    await this.answering?.({ method: 'removeObject', key });
  }

  async removePrefix(prefix: string): Promise<void> {
    await this.begin('removePrefix', prefix);
    for (const [upload, key] of this.uploads) if (key.startsWith(prefix)) this.uploads.delete(upload);
    for (const key of this.objects.keys()) if (key.startsWith(prefix)) this.objects.delete(key);
    await this.answering?.({ method: 'removePrefix', key: prefix });
  }

  /** What every call begins with: it takes a turn of the event loop, is noted, and may be made to fail. */
  async begin(method: StoreCall['method'], key: string, signal?: AbortSignal): Promise<void> {
    await undefined;
    if (signal?.aborted === true) throw abortReason(signal);
    const call = { method, key };
    this.calls.push(call);
    await this.fault?.(call);
    // A fault may have taken its time.
    signal?.throwIfAborted();
  }

  object(key: string): StoredObject {
    const found = this.objects.get(key);
    if (found === undefined) throw new NotFound(`${this.id}: ${key}: there is no such object`);
    return found;
  }

  source({ store, key, etag }: ObjectVersion): StoredObject {
    if (!(store instanceof MemoryBucket) || !this.canCopyFrom(store)) throw this.unavailable(key);
    const found = store.object(key);
    if (etag !== undefined && etag !== found.etag) throw new SourceChanged(`${store.id}: ${key}: ${found.etag}`);
    return found;
  }

  keep(
    key: string,
    bytes: Buffer,
    { contentType, metadata = {}, etag = etagOf(bytes) }: Partial<StoredObject> & Pick<StoredObject, 'contentType'>,
  ): string {
    this.objects.set(key, { bytes, size: bytes.length, etag, metadata, contentType });
    return etag;
  }

  unavailable(key: string): BackendUnavailable {
    return new BackendUnavailable(`Store ${this.id} is not available`, { cause: new Error(key) });
  }
}

const encoded = (metadata: Metadata): Metadata =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, encodeURIComponent(value)]));

const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

/** What an upload is made of, whoever works on it. */
interface MemoryUpload {
  readonly metadata: Metadata | undefined;
  readonly parts: Map<number, Part>;
  /** Once it has begun. */
  id?: string;
}

class MemoryMultipart implements Multipart {
  readonly #store: MemoryBucket;
  readonly #key: string;
  readonly #signal: AbortSignal | undefined;
  readonly #upload: MemoryUpload;

  constructor(store: MemoryBucket, key: string, signal: AbortSignal | undefined, upload: MemoryUpload) {
    this.#store = store;
    this.#key = key;
    this.#signal = signal;
    this.#upload = upload;
  }

  async begin(): Promise<string> {
    if (this.#upload.id !== undefined) return this.#upload.id;
    this.#upload.id = randomUUID();
    this.#store.uploads.set(this.#upload, this.#key);
    return this.#upload.id;
  }

  async putPart(n: number, body: Uint8Array): Promise<void> {
    await this.#part('putPart', n, () => Buffer.from(body));
  }

  async copyPart(n: number, from: ObjectVersion, start: number, end: number): Promise<void> {
    await this.#part('copyPart', n, () => {
      const { bytes } = this.#store.source(from);
      if (end > bytes.length) throw this.#store.unavailable(this.#key);
      return Buffer.from(bytes.subarray(start, end));
    });
  }

  async complete(): Promise<string> {
    const store = this.#store;
    await store.begin('complete', this.#key, this.#signal);
    const { metadata } = this.#upload;
    const parts = [...this.#upload.parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
    const small = parts.slice(0, -1).some(({ bytes }) => bytes.length < store.abilities.minPartBytes);
    if (!store.uploads.delete(this.#upload) || small || parts.length === 0) throw store.unavailable(this.#key);
    const etag = `${etagOf(Buffer.from(parts.map((part) => part.etag).join())).slice(0, -1)}-${parts.length}"`;
    const bytes = Buffer.concat(parts.map((part) => part.bytes));
    store.keep(this.#key, bytes, {
      contentType: 'application/octet-stream',
      etag,
      ...(metadata && { metadata }),
    });
    await store.answering?.({ method: 'complete', key: this.#key });
    return etag;
  }

  async abort(): Promise<void> {
    this.#store.uploads.delete(this.#upload);
  }

  async #part(method: 'putPart' | 'copyPart', n: number, bytesOf: () => Buffer): Promise<void> {
    const { abilities, uploads } = this.#store;
    await this.begin();
    await this.#store.begin(method, this.#key, this.#signal);
    const bytes = bytesOf();
    if (!uploads.has(this.#upload) || n >= abilities.maxParts || bytes.length > abilities.maxPartBytes)
      throw this.#store.unavailable(this.#key);
    this.#upload.parts.set(n, { bytes, etag: etagOf(bytes) });
    await this.#store.answering?.({ method, key: this.#key });
  }
}

class MemoryRead implements RangedRead {
  readonly #store: MemoryBucket;
  readonly #key: string;
  readonly #end: number;
  readonly #options: ReadOptions;
  #position: number;
  #first: Promise<StoredObject> | undefined;

  constructor(store: MemoryBucket, key: string, start: number, end: number, options: ReadOptions) {
    this.#store = store;
    this.#key = key;
    this.#position = start;
    this.#end = end;
    this.#options = options;
    this.#first = this.#open();
    this.#first.catch(() => undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    for (let failures = 0; this.#position < this.#end; failures++) {
      if (failures > RESUMES) throw this.#store.unavailable(this.#key);
      const { bytes } = await (this.#first ?? this.#open());
      this.#first = undefined;
      const broken = Math.min(this.#end, this.#position + (this.#store.breaks.shift() ?? Number.POSITIVE_INFINITY));
      while (this.#position < broken) {
        const { signal } = this.#options;
        if (signal?.aborted === true) throw abortReason(signal);
        const at = this.#position;
        this.#position = Math.min(broken, at + CHUNK);
        yield [bytes.subarray(at, this.#position)];
      }
    }
  }

  cancel(): void {
    this.#first = undefined;
  }

  async #open(): Promise<StoredObject> {
    await this.#store.begin('getRange', this.#key, this.#options.signal);
    const found = this.#store.object(this.#key);
    const { etag } = this.#options;
    if (etag !== undefined && etag !== found.etag) throw new SourceChanged(`${this.#store.id}: ${this.#key}`);
    if (this.#end > found.size) throw new Truncated(`${this.#store.id}: ${this.#key}: ${found.size} bytes`);
    return found;
  }
}
