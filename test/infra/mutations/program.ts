// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import type { Mistakes } from './mistakes.ts';

/** Mistakes in everything else: settings, storage, workflows, events, the program itself. */
export const PROGRAM: Mistakes = {
  'sst.config.ts': [
    ['a top-level import', 'export default', "import 'node:fs';\nexport default", 'the program completes'],
    [
      'a provider setting that the CLI drops',
      "const flag = 'true' as unknown as boolean",
      'const flag = true',
      'no setting was dropped',
    ],
    [
      'one region for every stage',
      "(process.env['GLIMPSE_REGION'] || 'us-east-1')",
      "'us-east-1'",
      'the stage lies in its region',
    ],
    ['production that can be removed', "protect: stage === 'production'", 'protect: false', 'production is protected'],
  ],
  'workflows/topology.ts': [
    [
      'a handler file that does not exist',
      'functions/tasks/begin.handler',
      'functions/tasks/begins.handler',
      'the program completes',
    ],
    [
      'a handler that is not exported',
      'functions/tasks/begin.handler',
      'functions/tasks/begin.main',
      'the program completes',
    ],
  ],
  'workflows/import-image.ts': [
    [
      'a function that does not exist',
      "step('import-begin', 60)",
      "step('import-start' as never, 60)",
      'the program completes',
    ],
    ['a state that does not exist', "Next: 'HasItEnded'", "Next: 'HasItEnd'", 'valid, complete, logged'],
  ],
  'workflows/steps.ts': [
    [
      'imports that fail because others run',
      "ErrorEquals: ['Lambda.TooManyRequestsException', 'Throttled'],",
      "ErrorEquals: ['Lambda.TooManyRequests'],",
      'waits its turn for as long',
    ],
    [
      'an import that ends because a function ran out of memory',
      "  'Runtime.ExitError',\n",
      '',
      'a long step whose function is lost',
    ],
  ],
  'infra/concurrency.ts': [
    [
      'an account that nobody looked at',
      "if (!onLocalStack && $cli.command === 'deploy') await checkAccount();",
      'void checkAccount;',
      'an account that allows too few executions',
    ],
    [
      'a reservation that a new account refuses',
      "settings.concurrency === 'shared'",
      "settings.concurrency === ('none' as never)",
      'a new account, which may reserve nothing',
    ],
    [
      'a bound that cannot be set',
      'settings.renderConcurrency !== undefined',
      'false',
      'the bound of rendering is a setting',
    ],
    [
      'imports that end when others let them',
      '        ...sizes.importConcurrency,\n',
      '',
      'API functions have concurrency of their own',
    ],
  ],
  'infra/worker-files.ts': [
    [
      'a thread that is not built',
      "const name = 'digest-worker.mjs';",
      "const name = 'digest-worker.ts';",
      'every package holds the configuration',
    ],
  ],
  'infra/localstack.ts': [
    ['stores that an emulator would not get', '    endpoints,\n', '', 'stores in other regions lie at the emulator'],
  ],
  'infra/storage.ts': [
    [
      'parts from pages of everybody',
      'allowedOrigins: [consoleOrigin]',
      "allowedOrigins: ['*']",
      'lets pages of the console send parts to the staging bucket, and no others anything',
    ],
    [
      'a store bucket without encryption',
      "sseAlgorithm: 'AES256'",
      "sseAlgorithm: 'aws:kms'",
      'every bucket of images is encrypted',
    ],
    [
      'a rule that expires objects',
      "status: 'Enabled',",
      "status: 'Enabled', expiration: { days: 30 },",
      'aborts stale uploads and nothing else',
    ],
    [
      'a forgotten provider',
      'const options = provider === undefined ? {} : { provider };',
      'const options = {}; void provider;',
      'every store lies in the region',
    ],
    [
      'buckets that a removal empties',
      'args.forceDestroy = !sizes.durable;',
      'args.forceDestroy = true;',
      'every bucket of images is encrypted',
    ],
    [
      'no point-in-time recovery',
      'enabled: true, recoveryPeriodInDays',
      'enabled: false, recoveryPeriodInDays',
      'the table can be restored',
    ],
    [
      'a table anyone may delete',
      'deletionProtection: sizes.durable',
      'deletionProtection: false',
      'the table can be restored',
    ],
    [
      'a missing index',
      'TABLE.indexes.map((index) => [',
      'TABLE.indexes.slice(1).map((index) => [',
      'the table: keys, indexes, TTL',
    ],
    ['no events from staging', 'eventbridge: true', 'eventbridge: false', 'events from staging alone'],
    [
      'a store that stays at home in Virginia',
      'store.region ?? settings.region',
      "store.region ?? 'us-east-1'",
      'and so does a store that names none',
    ],
    [
      'a bucket that somebody else has',
      'store.bucket.replace(ACCOUNT, number)',
      'store.bucket + number.slice(12)',
      'the bucket of an example is of its account',
    ],
    [
      'buckets of other services',
      'filter((store) => store.endpoint === undefined)',
      'filter(() => true)',
      'stores of other services',
    ],
  ],
  'infra/defaults.ts': [
    [
      'a log group without end',
      'retention: sizes.logRetention',
      "retention: 'forever'",
      'a log group with a retention',
    ],
  ],
  'infra/route-keys.ts': [
    ['a group that gets no routes', '{ key: `ANY ${path}/{proxy+}`, group },', '', 'every route of the table'],
    [
      'a group under one version alone',
      'inEveryVersion(prefix).flatMap(',
      '[prefix].flatMap(',
      'every version of a path, listed or not, is answered by whom the front door asks',
    ],
  ],
  'infra/events.ts': [
    [
      'a rule without a dead-letter queue',
      'deadLetterConfig: { arn: deadLetters.arn },\n    retryPolicy',
      'retryPolicy',
      'every event target and schedule',
    ],
    [
      'a schedule that may not use its queue',
      "{ actions: ['sqs:SendMessage'], resources: [deadLetters.arn] },",
      '',
      'every event target and schedule',
    ],
    ['a rule that may not call', 'principal,\n    sourceArn,', 'principal,', 'invoked by one named source'],
    [
      'failures that nobody keeps',
      'destinationConfig: { onFailure: { destination: deadLetters.arn } },',
      '',
      'an event whose function fails at it is kept',
    ],
    [
      'another rhythm there',
      'scheduleExpression: rate',
      "scheduleExpression: 'rate(5 minutes)'",
      'the schedules: rate and target',
    ],
  ],
  'infra/workflows.ts': [
    ['no log', "level: 'ERROR'", "level: 'OFF'", 'valid, complete, logged'],
    [
      'children that cannot be started',
      'resources: [$interpolate`${states}:stateMachine:${fixedName}`]',
      'resources: [$interpolate`${states}:stateMachine:other`]',
      'its own children',
    ],
    [
      'containers at an emulator',
      'containers === undefined ? importImageInFunctions : importImage',
      'containers === undefined ? importImage : importImageInFunctions',
      'valid, complete, logged',
    ],
  ],
  'infra/observe.ts': [
    [
      'alarms of a gateway that does not run',
      "onLocalStack || settings.config.gateway === 'off' ?",
      'onLocalStack ?',
      'declares a stage in which no gateway runs, and long steps have its image all the same',
    ],
    ['alarms nobody hears', 'alarmActions: [topic.arn]', 'alarmActions: []', 'alarms watch what matters'],
    [
      'a group of routes that nobody watches',
      'Object.keys(sizes.apiConcurrency)',
      'Object.keys(sizes.apiConcurrency).slice(1)',
      'alarms watch what matters',
    ],
    [
      'a janitor that nobody misses',
      "alarm.isTooFew ? 'breaching' : 'notBreaching'",
      "'notBreaching'",
      'a janitor that nobody calls',
    ],
    ['an alarm that nobody explains', '  JanitorFailed: {', '  JanitorBroken: {', 'the guide says of every alarm'],
    [
      'findings that are not counted',
      'janitor: a duty could not be settled',
      'a duty could not be settled',
      'the findings that are counted',
    ],
    [
      'alarms for somebody else',
      'endpoint: settings.alarmEmail',
      "endpoint: 'nobody@example.org'",
      'alarms reach the operator',
    ],
  ],
  'infra/main.ts': [
    [
      'a data plane at the emulator',
      'onLocalStack ? api.url : await publicUrl()',
      'await publicUrl()',
      'nothing that an emulator lacks',
    ],
    [
      'a key among the outputs',
      'config: $util.output(settings.configFile)',
      'config: $util.output(\'"kty"\')',
      'no secret is readable',
    ],
    [
      'a catalog that leads elsewhere',
      'settlePublicEndpoint(url)',
      "settlePublicEndpoint('https://elsewhere.example')",
      'the catalog follows the edge',
    ],
  ],
  'infra/settings.ts': [
    [
      'a stage without a gateway behind a load balancer',
      "if (edge === 'alb' && config.gateway === 'off')",
      "if (edge === 'alb' && config.gateway === 'off' && false)",
      'needs the edge that can answer',
    ],
    [
      'a bucket name that is not checked',
      "if (!BUCKET.test(bucket.replace(ACCOUNT, '0'.repeat(12))))",
      "if (!BUCKET.test(bucket.replace(ACCOUNT, '0'.repeat(12))) && false)",
      'an invalid bucket name',
    ],
    [
      'a file that the image does not hold',
      "if (!env['GLIMPSE_GATEWAY_IMAGE']) checkInImage(configFile, files);",
      '',
      'a configuration that the image of the gateway does not hold',
    ],
    ['a region that is not checked', 'if (!REGIONS.has(region))', "if (region === '')", 'a wrong configuration'],
  ],
  'infra/api.ts': [
    ['another event format', "payloadFormatVersion: '2.0'", "payloadFormatVersion: '1.0'", 'speaks payload 2.0'],
  ],
  'scripts/provision.ts': [
    [
      'a rule that calls another function here',
      'Arn: arnOf(rule.target)',
      "Arn: arnOf('janitor')",
      'the rules: pattern and target',
    ],
    [
      'another container here',
      'Task: (step: string): string => step',
      'Task: (step: string): string => `other-${step}`',
      'the same definition over the same functions',
    ],
  ],
  'scripts/copy-table.ts': [
    [
      'records that come back from before a restore',
      '!there.has(nameOf(item))',
      'false',
      'the table holds what the restored one holds',
    ],
    ['a table that is its own source', ' || from === to', '', 'a table is not copied onto itself'],
  ],
  'scripts/try-slow-upload.ts': [
    [
      'a length that stock clients do not send',
      "'content-type': 'application/octet-stream' }",
      "'content-length': String(seconds * CHUNK) }",
      'which is chunked and of unknown length',
    ],
    [
      'any answer that is good enough',
      "outcome === 'was answered 204' &&",
      "outcome !== '' &&",
      'is told from one that carries slow uploads',
    ],
  ],
  'infra/config/dev.json': [
    ['an example that cannot be used', 'glimpse-dev-central-{account}', 'Glimpse_Dev', 'the example of stage'],
  ],
  'infra/config/localstack.json': [
    [
      'two stages in one bucket',
      'glimpse-localstack-central-{account}',
      'glimpse-dev-central-{account}',
      'differ between stages',
    ],
  ],
  'infra/regions.ts': [['a region that does not exist', "'eu-west-3'", "'eu-west3'", 'regions are spelled']],
};
