/** A stage whose configuration says `gateway: off`, and whose console sends parts to the staging bucket. */
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, test } from 'vitest';
import { readSettings } from '../../infra/settings.ts';
import { containersOf, ofType, only, ROOT, synth } from './graph.ts';
import type { Graph } from './synth/graph-types.ts';

const CONFIG = 'test/infra/config/without-gateway.json';
const IMAGE = '123456789012.dkr.ecr.us-east-1.amazonaws.com/glimpse-gateway:1';
let graph: Graph;

beforeAll(async () => {
  graph = await synth({ stage: 'off', env: { GLIMPSE_CONFIG: CONFIG, GLIMPSE_GATEWAY_IMAGE: IMAGE } });
});

test('declares a stage in which no gateway runs, and long steps have its image all the same', () => {
  expect(graph.errors).toEqual([]);
  expect(ofType(graph, 'lb/loadBalancer:LoadBalancer')).toEqual([]);
  expect(ofType(graph, 'cloudfront/vpcOrigin:VpcOrigin')).toEqual([]);
  expect(only(graph, 'ecs/service:Service').inputs['desiredCount']).toBe(0);
  expect(only(graph, 'appautoscaling/target:Target').inputs).toMatchObject({ minCapacity: 0, maxCapacity: 0 });
  const steps = ofType(graph, 'ecs/taskDefinition:TaskDefinition').filter(({ name }) => name !== 'GatewayTask');
  expect(steps.flatMap(containersOf).map(({ image }) => image)).toEqual(steps.map(() => IMAGE));
  expect(ofType(graph, 'cloudwatch/metricAlarm:MetricAlarm').filter(({ name }) => name.startsWith('Gateway'))).toEqual(
    [],
  );
});

test('lets pages of the console send parts to the staging bucket, and no others anything', () => {
  expect(only(graph, 's3/bucketCorsConfiguration:BucketCorsConfiguration').inputs).toMatchObject({
    corsRules: [
      {
        allowedOrigins: ['https://console.example.org'],
        allowedMethods: ['PUT'],
        allowedHeaders: ['content-length', 'x-amz-checksum-crc32'],
      },
    ],
  });
});

describe('the edge answers for image bytes before their body comes', () => {
  const ask = (method: string, uri: string): Record<string, unknown> => {
    const told = ofType(graph, 'cloudfront/function:Function').find(({ name }) => name === 'WithoutGateway');
    const event = { request: { method, uri, headers: {} }, viewer: { ip: '192.0.2.1' } };
    return runInNewContext(`${String(told?.inputs['code'])}; handler(${JSON.stringify(event)})`) as Record<
      string,
      unknown
    >;
  };

  test.each([
    ['PUT', '/v2/images/x/file', 'upload session'],
    ['PUT', '/v2.9/images/x/stage', 'upload session'],
    ['GET', '/v2/images/x/file', 'links'],
  ])('%s %s', (method, uri, instead) => {
    expect(ask(method, uri)).toMatchObject({ statusCode: 503, body: { data: expect.stringContaining(instead) } });
  });

  test.each([
    ['OPTIONS', '/v2/images/x/file'],
    ['PUT', '/v2/images/x/tags/file'],
    ['DELETE', '/v2/images/x/members/stage'],
  ])('%s %s passes', (method, uri) => {
    expect(ask(method, uri)).toMatchObject({ method, uri, headers: { 'x-glimpse-client': { value: '192.0.2.1' } } });
  });
});

test('needs the edge that can answer', () => {
  const env = { GLIMPSE_CONFIG: CONFIG, GLIMPSE_GATEWAY_IMAGE: IMAGE, GLIMPSE_EDGE: 'alb' };

  expect(() => readSettings('off', env, ROOT)).toThrow('gateway off needs GLIMPSE_EDGE=cloudfront');
});
