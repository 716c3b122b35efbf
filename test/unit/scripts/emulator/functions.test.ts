import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { putFunctions } from '../../../../scripts/emulator/functions.ts';

interface Known {
  CodeSha256: string;
  Environment?: unknown;
  readonly [key: string]: unknown;
}

/** As much of Lambda as is asked: code and configuration of each function. */
async function lambda(): Promise<{ client: Parameters<typeof putFunctions>[0]; asked: string[] }> {
  const known = new Map<string, Known>();
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
    const [, , , name = body.FunctionName as string, what = ''] = (request.url ?? '').split('/');
    asked.push(`${request.method} ${what}`.trim());
    const found = known.get(name);
    const zip = body.ZipFile ?? body.Code?.ZipFile;
    if (request.method === 'GET' && found === undefined) {
      response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' }).end('{}');
      return;
    }
    if (request.method !== 'GET') {
      const CodeSha256 =
        zip === undefined
          ? found?.CodeSha256
          : createHash('sha256').update(Buffer.from(zip, 'base64')).digest('base64');
      known.set(name, { ...found, ...body, CodeSha256, State: 'Active', LastUpdateStatus: 'Successful' });
    }
    const { Code: _code, ZipFile: _zip, ...Configuration } = known.get(name) ?? ({ CodeSha256: '' } as Known);
    response.end(JSON.stringify(request.method === 'GET' ? { Configuration } : Configuration));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const client = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  return { client, asked };
}

test('a function is made once; what is the same stays, code and settings that changed are brought up to date', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-function-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'bundle.mjs'), 'export const handler = () => 1;');
  const { client, asked } = await lambda();
  const fn = { folder, handler: 'bundle.handler', memoryMiB: 256, timeoutSeconds: 60, environment: { A: '1', B: '2' } };
  const changes = async (environment: Record<string, string> = fn.environment): Promise<string[]> => {
    asked.length = 0;
    await putFunctions(client, { janitor: { ...fn, environment } });
    return asked.filter((one) => !one.startsWith('GET'));
  };

  expect(await changes()).toEqual(['POST']);
  expect(await changes({ B: '2', A: '1' })).toEqual([]);
  expect(await changes({ A: '1', B: '3' })).toEqual(['PUT configuration']);
  await writeFile(join(folder, 'bundle.mjs'), 'export const handler = () => 2;');
  expect(await changes({ A: '1', B: '3' })).toEqual(['PUT code']);
});
