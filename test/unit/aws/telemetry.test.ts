/** Traces and metrics in a process of their own, as the platform would start it; a UDP socket stands for the trace daemon. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Where the tracer leaves a mark of its start. */
const scratch = mkdtempSync(join(tmpdir(), 'glimpse-telemetry-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const ON_LAMBDA = {
  AWS_LAMBDA_FUNCTION_NAME: 'import-revert-1234',
  LAMBDA_TASK_ROOT: ROOT,
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  _X_AMZN_TRACE_ID: 'Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1',
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  POWERTOOLS_SERVICE_NAME: 'import-revert',
  POWERTOOLS_METRICS_NAMESPACE: 'glimpse-test',
};

/** What a module says on stdout, with our modules under `telemetry`. */
async function said(code: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const program = `const telemetry = await import('./aws/telemetry.ts'); ${code}`;
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', TMPDIR: scratch, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return text(child.stdout);
}

const LOADED = `
  const { createRequire } = await import('node:module');
  const cache = Object.keys(createRequire(process.cwd() + '/x.js').cache);
  console.log(JSON.stringify({ xray: cache.some((path) => path.includes('aws-xray-sdk-core')) }));`;

describe('telemetry', () => {
  it('elsewhere than on Lambda loads nothing, writes nothing and changes no client', async () => {
    const code = `
      const { traced, measure } = await telemetry.telemetry();
      const client = {};
      if (traced(client) !== client) throw new Error('another client');
      measure('ImportsSucceeded', 1);
      const answer = await telemetry.observed(async (n) => n + 1)(41);
      if (answer !== 42) throw new Error('another answer');`;

    expect(JSON.parse(await said(code + LOADED))).toEqual({ xray: false });
  });

  it('on Lambda writes a metric with its unit, its function and its dimension, in the embedded format', async () => {
    const code = `(await telemetry.telemetry()).measure('ImportsFailed', 1, { kind: 'ImageRefused' });`;

    const metric = JSON.parse(await said(code, { ...ON_LAMBDA, POWERTOOLS_TRACE_ENABLED: 'false' }));

    expect(metric).toMatchObject({ service: 'import-revert', kind: 'ImageRefused', ImportsFailed: 1 });
    expect(metric._aws.CloudWatchMetrics).toEqual([
      {
        Namespace: 'glimpse-test',
        Dimensions: [expect.arrayContaining(['service', 'kind'])],
        Metrics: [{ Name: 'ImportsFailed', Unit: 'Count' }],
      },
    ]);
  });

  it('on Lambda sends a segment for each invocation, with what it threw', async () => {
    const daemon = createSocket('udp4');
    daemon.bind(0, '127.0.0.1');
    await once(daemon, 'listening');
    const received = once(daemon, 'message');
    const code = `
      const failing = telemetry.observed(async () => { throw new TypeError('no image'); });
      console.log(await failing().catch((error) => error.message));`;

    const thrown = await said(code, { ...ON_LAMBDA, AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${daemon.address().port}` });
    const [message] = (await received) as [Buffer];
    daemon.close();

    expect(thrown.trim()).toBe('no image');
    expect(JSON.parse(message.toString().split('\n').at(-1) ?? '')).toMatchObject({
      name: '## handler',
      trace_id: '1-67891233-abcdef012345678912345678',
      parent_id: '463ac35c9f6413ad',
      annotations: { ColdStart: true, Service: 'import-revert' },
      fault: true,
      cause: { exceptions: [expect.objectContaining({ message: 'no image', type: 'TypeError' })] },
    });
  });
});
