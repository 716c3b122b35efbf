/** `gateway: off`: stock clients are told what to use instead, by whoever answers; sessions and links need no gateway. */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crc32Header } from '../../bytes/crc32.ts';
import { type GatewayRig, OCTETS, startGateway } from '../support/gateway.ts';
import { anImage } from '../support/images.ts';
import { startImagesApi, type TestApi } from '../support/images-api.ts';

const OFF = { gateway: 'off' };
let api: TestApi;
let gateway: GatewayRig;

beforeAll(async () => {
  [api, gateway] = await Promise.all([startImagesApi(OFF), startGateway(OFF)]);
});
afterAll(() => Promise.all([api.close(), gateway.close()]));

const CASES = [
  ['PUT', 'file', 'upload session'],
  ['PUT', 'stage', 'upload session'],
  ['GET', 'file', 'links'],
] as const;

describe.each(CASES)('%s %s', (method, what, instead) => {
  test('is answered by the API', async () => {
    const { id } = anImage();

    const answer = await api.call(method, `/v2/images/${id}/${what}`, { as: 'demo' });

    expect([answer.status, answer.text.includes(instead)]).toEqual([503, true]);
    expect(answer.headers['retry-after']).toBeUndefined();
    expect((await api.call(method, `/v2/images/${id}/${what}`)).status).toBe(401);
  });

  test('is answered by the process that would stream', async () => {
    const { id } = await gateway.image();
    const body = method === 'PUT' ? { body: randomBytes(1000), headers: OCTETS } : {};

    const answer = await gateway.send(method, `/v2/images/${id}/${what}`, body);

    expect([answer.status, answer.body.toString().includes(instead)]).toEqual([503, true]);
    expect(await gateway.show(id)).toMatchObject({ status: 'queued', lock: null });
  });
});

test('an upload session works all the same', async () => {
  const image = anImage({ diskFormat: 'raw', containerFormat: 'bare' });
  await api.deps.images.create(image);
  const to = `/glimpse/v1/images/${image.id}/uploads`;
  const bytes = randomBytes(1000);
  const { body } = await api.call('POST', to, { as: 'demo', body: { size: bytes.length } });
  const parts = [{ number: 1, size: bytes.length, crc32: crc32Header(crc32(bytes)) }];
  const signed = await api.call('POST', `${to}/${body.upload.id}/parts`, { as: 'demo', body: { parts } });
  expect(api.bucket('staging').receive(signed.body.parts[0], bytes)).toBe(true);

  const completed = await api.call('POST', `${to}/${body.upload.id}/complete`, { as: 'demo' });

  expect([completed.status, completed.body.state]).toEqual([200, 'complete']);
});
