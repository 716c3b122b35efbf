/** What functions and containers do of an import: threads from files of their own, names of failures, a large image. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { GetExecutionHistoryCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { LOST } from '../../workflows/steps.ts';
import { expectSame, imported, type Proof, type Stage } from './proof.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

async function stageAndImport(stage: Stage, id: string, body: NonNullable<RequestInit['body']>): Promise<void> {
  const headers = { 'content-type': 'application/octet-stream' };
  expectSame('PUT stage', (await stage.call('PUT', `/v2/images/${id}/stage`, { body, headers })).status, 204);
  const started = await stage.call('POST', `/v2/images/${id}/import`, { json: { method: { name: 'glance-direct' } } });
  expectSame('POST import', started.status, 202);
}

/** Raw content is hashed once it is rendered, by a function: its thread is a file beside the bundle. */
const workerFiles: Proof = {
  name: 'worker-files',
  says: 'hashing threads start in functions: an import has the right checksums',
  writes: true,
  async run(stage) {
    const bytes = Buffer.concat([randomBytes(9 * MIB), Buffer.alloc(14 * MIB), randomBytes(MIB)]);
    const id = await stage.makeImage();
    await stageAndImport(stage, id, bytes);
    const { size, checksum } = await imported(stage, id, 10);
    expectSame('the size', size, bytes.length);
    expectSame('the checksum', checksum, createHash('md5').update(bytes).digest('hex'));
    return `${size} bytes, ${checksum}`;
  },
};

const failureInWords: Proof = {
  name: 'failure-in-words',
  says: 'an import that fails says why, and leaves its image queued',
  writes: true,
  async run(stage) {
    const id = await stage.makeImage();
    const method = { name: 'web-download', uri: 'https://nothing.invalid/disk.raw' };
    expectSame('POST import', (await stage.call('POST', `/v2/images/${id}/import`, { json: { method } })).status, 202);
    const failed = await imported(stage, id, 10).then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (failed === undefined || !failed.startsWith('the import failed: ')) throw new Error(failed ?? 'it succeeded');
    return failed;
  },
};

/** Kinds of core/errors.ts that end a step, and names of the platform that workflows/steps.ts names. */
const KNOWN: readonly string[] = [
  ...LOST,
  ...['StepTooLong', 'FetchFailed', 'ImageRefused', 'LimitExceeded', 'StoreFailed', 'TaskAborted'],
  ...['BackendUnavailable', 'StaleRevision', 'Lambda.TooManyRequestsException', 'Lambda.ServiceException'],
  ...['Lambda.AWSLambdaException', 'Lambda.SdkClientException', 'States.TaskFailed'],
  ...['ECS.AmazonECSException', 'ECS.ServerException', 'ECS.ThrottlingException'],
];
/** Latest failed executions that are looked into. */
const LOOKED_AT = 50;

const failureNames: Proof = {
  name: 'failure-names',
  says: 'failures in the workflow have only names that its definition knows',
  writes: false,
  skip: ({ isOnAws }) => (isOnAws ? undefined : 'the names are those that Step Functions on AWS gives'),
  async run() {
    const outputs = await readFile('.sst/outputs.json', 'utf8').catch(() => undefined);
    if (outputs === undefined) throw new Error('.sst/outputs.json is not here: run this where the stage was deployed');
    const { region, importWorkflow } = JSON.parse(outputs) as { region: string; importWorkflow: string };
    const sfn = new SFNClient({ region });
    const { executions = [] } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn: importWorkflow, statusFilter: 'FAILED', maxResults: LOOKED_AT }),
    );
    const names = new Map<string, number>();
    for (const { executionArn } of executions) {
      const { events = [] } = await sfn.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, includeExecutionData: false }),
      );
      for (const event of events) {
        const name = event.taskFailedEventDetails?.error ?? event.taskTimedOutEventDetails?.error;
        if (name !== undefined) names.set(name, (names.get(name) ?? 0) + 1);
      }
    }
    const unknown = [...names.keys()].filter((name) => !KNOWN.includes(name));
    if (unknown.length > 0) throw new Error(`workflows/steps.ts does not know ${unknown.join(', ')}`);
    const counted = [...names].map(([name, count]) => `${name} ${count}`).join(', ');
    return `${executions.length} failed executions: ${counted || 'none'}`;
  },
};

/** A sparse disk: random data in MiB pieces, spread evenly from its first byte to its last. */
async function makeDisk(path: string, bytes: number, dataMib: number): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.truncate(bytes);
    const gap = (bytes - MIB) / Math.max(1, dataMib - 1);
    for (let n = 0; n < dataMib; n++) await file.write(randomBytes(MIB), 0, MIB, Math.floor((n * gap) / MIB) * MIB);
  } finally {
    await file.close();
  }
}

async function convert(from: string, to: string): Promise<void> {
  const cli = join(import.meta.dirname, '../../cli/bin.mjs');
  const args = [cli, 'convert', '-O', 'qcow2', '--max-virtual-size', String(64 * 1024 * GIB), from, to];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`glimpse convert ended with ${String(code)}`);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

const largeImport: Proof = {
  name: 'large-import',
  says: 'a large, mostly empty disk is imported',
  writes: true,
  skip: ({ importGib }) => (importGib > 0 ? undefined : '--import-gib is 0'),
  async run(stage) {
    const folder = await mkdtemp(join(tmpdir(), 'glimpse-prove-'));
    try {
      const [raw, packed] = [join(folder, 'disk.raw'), join(folder, 'disk.qcow2')];
      await makeDisk(raw, stage.importGib * GIB, stage.dataMib);
      await convert(raw, packed);
      await rm(raw);
      const id = await stage.makeImage({ disk_format: 'qcow2' });
      const began = Date.now();
      await stageAndImport(stage, id, Readable.toWeb(createReadStream(packed)) as ReadableStream);
      const uploaded = Date.now();
      const image = await imported(stage, id, 120);
      const ended = Date.now();
      expectSame('the virtual size', image.virtual_size, stage.importGib * GIB);
      // Converted where the stage converts; then its bytes are not those of the upload.
      if (image.disk_format === 'qcow2') expectSame('the checksum', image.checksum, await digestOf(packed));
      const { size } = await stat(packed);
      const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
      return `${stage.importGib} GiB (${Math.round(size / MIB)} MiB uploaded in ${seconds(began, uploaded)} s), stored as ${image.disk_format} in ${seconds(uploaded, ended)} s`;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

export const IMPORTS: readonly Proof[] = [workerFiles, failureInWords, failureNames, largeImport];
