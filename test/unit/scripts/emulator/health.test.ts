import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { refused } from '../../../../scripts/emulator/failure.ts';
import { untilItAnswers, whoAnswers } from '../../../../scripts/emulator/health.ts';

async function serving(body: string, status = 200): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('LocalStack says who it is, in the image and without one; others may say nothing', async () => {
  for (const edition of ['community', 'unknown'])
    expect(await whoAnswers(await serving(JSON.stringify({ services: {}, edition, version: '4.13.1' })))).toEqual({
      ...{ name: 'LocalStack', version: '4.13.1' },
    });
  expect(await whoAnswers(await serving(JSON.stringify({ edition: 'light', version: '1.5.33' })))).toEqual({
    ...{ name: 'MiniStack', version: '1.5.33' },
  });
  expect(await whoAnswers(await serving('<html>', 404))).toEqual({ name: 'emulator' });
});

test('one that is away is said in one sentence, with what to do', async () => {
  await expect(untilItAnswers('http://127.0.0.1:9', 0)).rejects.toThrow(
    /^nothing answers at AWS_ENDPOINT_URL http:\/\/127\.0\.0\.1:9: start the emulator, or `npm run localstack`[^\n]*$/,
  );
});

test('what it refuses is said in one sentence that names it', () => {
  const error = Object.assign(new Error('no such\nthing'), { name: 'InternalFailure' });
  expect(() => refused('LocalStack 4.13.1', 'http://a')(error)).toThrow(
    /^LocalStack 4\.13\.1 at http:\/\/a cannot be made ready: InternalFailure: no such: start it anew[^\n]*$/,
  );
});
