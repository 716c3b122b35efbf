/**
 * Entry of the process that owns the port: S3, and a forwarder to the JSON services. `node local/aws-process.ts
 * '{"dataDir": "...", "port": 4566}'`; the parent tells the port of the other process by a message.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ParentMessage, runChild } from './child-process.ts';
import { forwarder, front, listen } from './front.ts';
import { Iam } from './iam/iam.ts';
import type { ObjectEvent } from './s3/events.ts';
import { createS3 } from './s3/server.ts';
import { s3BusEvent } from './s3-events.ts';
import type { Strict } from './strict.ts';

interface AwsOptions {
  /** Absent: a temporary directory that goes when the process closes. */
  dataDir?: string;
  port?: number;
  controlToken?: string;
  strict?: Strict;
  /** Names besides those of loopback that the port is reached by. */
  hosts?: readonly string[];
}

let controlPort: number | undefined;

await runChild(async (options: AwsOptions) => {
  process.on('message', (message: ParentMessage) => {
    if (message.type === 'control') controlPort = message.port;
  });
  const temporary = options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'embedded-s3-')) : undefined;
  const dataDir = join(options.dataDir ?? temporary ?? '', 's3');
  const { s3: strict, iam } = options.strict ?? {};
  const s3 = createS3({
    dataDir,
    onEvent: (event) => handOver(event, options.controlToken ?? ''),
    iam: iam === undefined ? undefined : new Iam(iam),
    strict,
  });
  await s3.ready;
  const handler = front(
    forwarder(() => controlPort),
    (req, res) => s3.handle(req, res),
  );
  const listener = await listen(handler, options.port ?? 0, {
    hosts: options.hosts ?? [],
    mayCome: (origin, req) => s3.isPartFrom(origin, req),
  });
  const close = async () => {
    await listener.close();
    await s3.close();
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  };
  return { port: listener.port, close };
});

/** Resolves when the bus has the event in its journal; rejects otherwise, and S3 offers it again. */
async function handOver(event: ObjectEvent, controlToken: string): Promise<void> {
  if (controlPort === undefined) throw new Error('the event bus is not ready');
  const response = await fetch(`http://127.0.0.1:${controlPort}/_glimpse/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-glimpse-control': controlToken },
    body: JSON.stringify(s3BusEvent(event)),
  });
  if (!response.ok) throw new Error(`the event bus answered ${response.status}`);
  await response.arrayBuffer();
}
