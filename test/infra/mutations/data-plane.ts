// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import type { Mistakes } from './mistakes.ts';

/** Mistakes in the data plane: gateway, edge, console, containers and their image. */
export const DATA_PLANE: Mistakes = {
  'infra/edge.ts': [
    ['a client that names itself', 'value: edgeSecret', "value: 'edge'", 'names the viewer to what answers'],
    [
      'answers that are cached',
      'cachePolicyId: CACHING_DISABLED',
      'cachePolicyId: CACHING_OPTIMIZED',
      'nothing behind a token is cached',
    ],
    [
      'image bytes that are compressed',
      'compress: false',
      'compress: true',
      'image bytes pass to the data plane unchanged',
    ],
    ["a tenant's 404 that answers the owner", 'errorCachingMinTtl: 0', 'errorCachingMinTtl: 10', 'no error is kept'],
    ['an error that was forgotten', '400, 403, 404, 405', '400, 403, 405', 'no error is kept'],
    [
      'an API in plain text',
      "originProtocolPolicy: 'https-only'",
      "originProtocolPolicy: 'http-only'",
      'the origins are the API, over TLS',
    ],
    [
      'a console nobody built',
      'settings.consoleDist === undefined ? undefined : await consoleParts(settings.consoleDist)',
      "await consoleParts(settings.consoleDist ?? 'test/infra/console-dist')",
      'is absent where none was built',
    ],
  ],
  'infra/gateway.ts': [
    [
      'a load balancer open to the world',
      '{ ...tcp(80), prefixListIds: [cloudfront.id]',
      "{ ...tcp(80), cidrBlocks: ['0.0.0.0/0'], prefixListIds: [cloudfront.id]",
      'open to the world',
    ],
    ['uploads cut by a deployment', 'const DRAIN_SECONDS = 3600', 'const DRAIN_SECONDS = 30', 'drains longer'],
    ['a file system to write to', 'readonlyRootFilesystem: true', 'readonlyRootFilesystem: false', 'runs hardened'],
    [
      'a host that reads every secret',
      "args.inlinePolicies = [{ name: 'secrets', policy: readsSecrets().json }];",
      '',
      'read its own parameters',
    ],
    [
      'a load balancer that others reach',
      'prefixListIds: [cloudfront.id]',
      "cidrBlocks: ['10.0.0.0/8']",
      'only CloudFront reaches',
    ],
    [
      'clients in plain text',
      "{ listen: '80/http', redirect: '443/https' }",
      "{ listen: '80/http', forward: `${PORT}/http` }",
      'takes TLS with the given certificate',
    ],
    [
      'keys that a rotation does not reach',
      '$interpolate`${name}:${version}`',
      '$interpolate`${name}:latest`',
      'is replaced when a secret was rotated',
    ],
    ['one port too many', '[443, 80].map', '[443, 80, 8080].map', 'reach its two ports'],
    [
      'a gateway that asks elsewhere',
      'GLIMPSE_API_URL: api.url',
      "GLIMPSE_API_URL: 'https://elsewhere.example'",
      'knows its port',
    ],
    ['records over the internet', ": ['s3', 'dynamodb']", ": ['s3']", 'reaches S3 and DynamoDB'],
    ['copies that an endpoint refuses', "crossesRegions ? ['dynamodb'] : ", '', 'reaches S3 and DynamoDB'],
    ['uploads that end because a task is busy', 'retries: 10', 'retries: 3', 'is not ended by its health checks'],
    [
      'an image that is built although it was given',
      'const image = settings.gatewayImage ?? {',
      'const image = {',
      'a given image is used',
    ],
  ],
  'infra/step-containers.ts': [
    [
      'a container that may write its file system',
      'readonlyRootFilesystem: true',
      'readonlyRootFilesystem: false',
      'hardened, without a port',
    ],
    [
      'every parameter of the account',
      'resources: [sourceKeysParameter.arn]',
      "resources: ['*']",
      'the host of the steps in containers',
    ],
    ['a log for ever', 'retentionInDays: LOG_DAYS[sizes.logRetention],', '', 'no log is kept for ever'],
    [
      'a container that would leave for a container again',
      '{ ...variables, AWS_REGION',
      "{ ...variables, GLIMPSE_FUNCTION_SECONDS: '480', AWS_REGION",
      'it knows what its function knows',
    ],
    [
      'one role with the rights of another step',
      'statementsOf(step, targets)',
      "statementsOf('import-copy', targets)",
      'it may do what its function may do',
    ],
    [
      'a container that can be reached',
      'ingress: [],',
      "ingress: [{ protocol: 'tcp', fromPort: 80, toPort: 80, cidrBlocks: ['0.0.0.0/0'] }],",
      'where nothing may reach it',
    ],
    [
      'a revision that an upgrade takes away',
      'containers[step].definition.family])',
      'containers[step].definition.arn])',
      'starts what is deployed now',
    ],
    [
      'any role that may be handed on',
      "actions: ['iam:PassRole'],\n    resources: [executionRole.arn,",
      "actions: ['iam:PassRole'],\n    resources: ['*', executionRole.arn,",
      'hand them their roles, and no others',
    ],
    [
      'containers that cannot be waited for',
      "actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule']",
      "actions: ['events:DescribeRule']",
      'run, watch and stop these containers',
    ],
  ],
  'infra/gateway-scaling.ts': [
    ['tasks that stay when all is quiet', 'FILL(load, 0)', 'load', 'scales on connections'],
    ['no scaling by network', "track('Network', 'ProcessedBytes', BYTES_PER_MINUTE);", '', 'scales on connections'],
  ],
  'gateway/Dockerfile': [
    ['a folder forgotten in the image', 'COPY formats formats\n', '', 'the gateway ended with'],
    ['packages that an emulated processor installs', '--platform=$BUILDPLATFORM ', '', 'it builds on any processor'],
    ['an image that runs as root', 'USER node\n', '', 'it runs as nobody'],
    ['no steps in the image', 'COPY functions functions\n', '', 'it holds every step'],
    [
      'more in the image than it needs',
      'COPY package.json ./\nCOPY api api',
      'COPY package.json package-lock.json ./\nCOPY api api',
      'it holds no tests',
    ],
  ],
  'gateway/serve.ts': [
    [
      'connections that end before those of the load balancer',
      'const KEEP_ALIVE_MS = 4_100_000',
      'const KEEP_ALIVE_MS = 60_000',
      'closes no connection that the load balancer still holds',
    ],
  ],
  'gateway/health.ts': [
    [
      'a health check that always says yes',
      'process.exit(healthy ? 0 : 1)',
      'process.exit(0)',
      'its health check says yes',
    ],
  ],
  'api/edge.ts': [
    [
      'a challenge that leads nowhere',
      'if (config.public_endpoint !== undefined) return',
      'if (config.public_endpoint === undefined) return',
      'the file set of the image is enough',
    ],
  ],
  'gateway/main.ts': [
    [
      'a gateway that does not end when it is asked to',
      "process.once('SIGTERM', stop);",
      '',
      'ends by itself when it is asked to',
    ],
  ],
  'infra/sizes.ts': [
    ['rendering that takes the account', "'import-render': 400", "'import-render': 900", 'rendering is bounded'],
    ['a price that nobody looked at', 'min: 1, max: 2', 'min: 2, max: 2', 'the cost table at rest'],
    [
      'an expensive development stage',
      "{ cpu: '0.25 vCPU', memory: '1 GB', min: 1",
      "{ cpu: '1 vCPU', memory: '4 GB', min: 1",
      'a dollar and a half a day',
    ],
  ],
  'infra/console.ts': [
    [
      'a bucket that may get a public policy',
      'blockPublicPolicy: true',
      'blockPublicPolicy: false',
      'closed to the public',
    ],
    [
      'a console bucket for every distribution',
      "'aws:SourceArn': distributionArn",
      "'aws:SourceArn': '*'",
      'from a private bucket',
    ],
  ],
};
