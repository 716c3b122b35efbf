import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { ObjectEvent } from '../../local/s3/events.ts';
import { createS3, type S3Options } from '../../local/s3/server.ts';
import { ONE_PROCESS } from './one-process.ts';

const LAUNCHER = fileURLToPath(new URL('./s3-launcher.ts', import.meta.url));

interface Report {
  readonly port?: number;
  readonly error?: string;
  readonly event?: ObjectEvent;
  readonly rejected?: boolean;
  readonly settings?: unknown;
}

/** An embedded S3 in a child process over a temporary directory, which outlives `kill` and `start`. */
export class S3Process {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'glimpse-s3-'));
  readonly events: ObjectEvent[] = [];
  #child: ChildProcess | undefined;
  #port = 0;
  #closeInThisProcess: (() => Promise<void>) | undefined;
  #rejectEvents = false;
  #onReport: (() => void) | undefined;

  /** Starts the server; rejects with its one-line message when it cannot start. */
  async start(options: Omit<Partial<S3Options>, 'onEvent' | 'clock'> = {}): Promise<this> {
    if (ONE_PROCESS) return await this.#startInThisProcess(options);
    const child = fork(LAUNCHER, [this.dataDir, JSON.stringify(options)], { execArgv: [] });
    child.on('message', (report: Report) => {
      if (report.event !== undefined) this.events.push(report.event);
      this.#onReport?.();
    });
    const [first] = (await once(child, 'message')) as [Report];
    if (first.port === undefined) throw new Error(first.error ?? 'no port');
    this.#child = child;
    this.#port = first.port;
    return this;
  }

  async #startInThisProcess(options: Omit<Partial<S3Options>, 'onEvent' | 'clock'>): Promise<this> {
    const onEvent = (event: ObjectEvent): void => {
      this.events.push(event);
      this.#onReport?.();
      if (this.#rejectEvents) throw new Error('refused by the test');
    };
    const s3 = createS3({ dataDir: this.dataDir, ...options, onEvent });
    await s3.ready;
    const server = createServer((message, response) => s3.handle(message, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#closeInThisProcess = async () => {
      server.closeAllConnections();
      server.close();
      await s3.close();
    };
    return this;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Process id of the server. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** A client for this server. */
  client(config: S3ClientConfig = {}): S3Client {
    return new S3Client({
      endpoint: this.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      ...config,
    });
  }

  /** Makes the server's event listener reject (or accept again); resolves when it does. */
  async rejectEvents(rejectEvents: boolean): Promise<void> {
    this.#rejectEvents = rejectEvents;
    if (ONE_PROCESS) return;
    const settled = new Promise<void>((resolve) => {
      this.#child?.on('message', (report: Report) => report.settings !== undefined && resolve());
    });
    this.#child?.send({ rejectEvents });
    await settled;
  }

  /** Resolves when an event satisfies `test`, at once if it has arrived. */
  async event(test: (event: ObjectEvent) => boolean): Promise<ObjectEvent> {
    while (true) {
      const found = this.events.find(test);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#onReport = resolve;
      });
    }
  }

  /** SIGKILL, then waits until the process is gone. */
  async kill(): Promise<void> {
    await this.#closeInThisProcess?.();
    this.#closeInThisProcess = undefined;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Names of all blob files on disk. */
  blobFiles(): string[] {
    const root = join(this.dataDir, 'blobs');
    return readdirSync(root).flatMap((shard) => readdirSync(join(root, shard)));
  }

  /** Kills the process and removes its directory. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** The error a call ends with, as `Code status`; fails the test when it succeeds. */
export async function failureOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const { name, Code, $metadata } = error as { name: string; Code?: string; $metadata?: { httpStatusCode?: number } };
    return `${Code ?? name} ${$metadata?.httpStatusCode ?? ''}`.trim();
  }
  throw new Error('the call succeeded');
}

/** Bytes that are different at every offset of interest and the same in every run. */
export function sampleBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 255;
  }
  return bytes;
}
