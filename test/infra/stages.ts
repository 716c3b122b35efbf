import type { Scenario } from './graph.ts';

/** The ways to deploy that differ in their resources. Every general check runs on each. */
export const STAGES = {
  'dev behind CloudFront': { stage: 'dev' },
  'production over three regions, with a Keystone': {
    stage: 'production',
    env: {
      GLIMPSE_CONFIG: 'test/infra/config/three-regions.json',
      GLIMPSE_GATEWAY_IMAGE: '123456789012.dkr.ecr.us-east-1.amazonaws.com/glimpse-gateway:1',
      GLIMPSE_ALARM_EMAIL: 'ops@example.org',
      GLIMPSE_DOMAIN: 'images.example.org',
      GLIMPSE_CERTIFICATE_ARN: 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555',
      GLIMPSE_CONSOLE_DIST: 'test/infra/console-dist',
      SST_SECRET_KeystonePassword: 'secret',
    },
  },
  'production behind a load balancer in Frankfurt': {
    stage: 'production',
    env: {
      GLIMPSE_REGION: 'eu-central-1',
      GLIMPSE_EDGE: 'alb',
      GLIMPSE_DOMAIN: 'images.example.org',
      GLIMPSE_CERTIFICATE_ARN: 'arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555',
    },
  },
  localstack: { stage: 'localstack', env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:4599' } },
} as const satisfies Record<string, Scenario>;

export type StageName = keyof typeof STAGES;
