/** Alarms that someone must act on, and one dashboard. What each alarm means: docs/operations/observe.md. */
// biome-ignore lint/style/noRestrictedImports: names of metrics only, as a type: what is shown must be what is written
import type { Metric } from '../aws/telemetry.ts';
import { api } from './api.ts';
import { deadLetters } from './dead-letters.ts';
import { functions } from './functions.ts';
import { key } from './kms.ts';
import { logical, METRICS_NAMESPACE, named, onLocalStack, settings, sizes } from './stage.ts';
import { table } from './storage.ts';
import { workflows } from './workflows.ts';

type Text = $util.Input<string>;

const topic = new aws.sns.Topic('Alarms', { name: named('alarms'), kmsMasterKeyId: key.id });
if (settings.alarmEmail !== undefined)
  new aws.sns.TopicSubscription('AlarmsByMail', { topic: topic.arn, protocol: 'email', endpoint: settings.alarmEmail });

/** The janitor logs one line for each duty it could not settle; that is work no machine will do. */
const FINDINGS = { namespace: METRICS_NAMESPACE, name: 'JanitorFindings' };
new aws.cloudwatch.LogMetricFilter('JanitorFindings', {
  logGroupName: $util.output(functions.janitor.nodes.logGroup).apply((group) => $util.output(group?.name ?? '')),
  pattern: '{ $.message = "janitor: a duty could not be settled" }',
  metricTransformation: { namespace: FINDINGS.namespace, name: FINDINGS.name, value: '1', defaultValue: '0' },
});

interface Alarm {
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, Text>>;
  readonly statistic?: 'Sum' | 'Maximum';
  /** More than this, in each of `periods` five-minute periods in a row. */
  readonly above: number;
  /** Instead: no more than that, or no figure at all. */
  readonly isTooFew?: true;
  readonly periods: number;
}

const machine = { StateMachineArn: workflows['import-image'].arn };
const onApi = { ApiId: api.nodes.api.id };
const onTable = { TableName: table.name };

const ALARMS: Readonly<Record<string, Alarm>> = {
  ExecutionsFailed: {
    description: 'Imports fail more often than users make mistakes',
    namespace: 'AWS/States',
    metric: 'ExecutionsFailed',
    dimensions: machine,
    above: 5,
    periods: 1,
  },
  PlatformFailures: {
    description: 'Imports fail for a reason of ours, not of the image',
    namespace: METRICS_NAMESPACE,
    metric: 'ImportsFailed' satisfies Metric,
    dimensions: { service: 'import-revert', kind: 'BackendUnavailable' },
    above: 0,
    periods: 1,
  },
  ExecutionsTimedOut: {
    description: 'An import ran for a day',
    namespace: 'AWS/States',
    metric: 'ExecutionsTimedOut',
    dimensions: machine,
    above: 0,
    periods: 1,
  },
  DeadLetters: {
    description: 'An event or a schedule could not be delivered',
    namespace: 'AWS/SQS',
    metric: 'ApproximateNumberOfMessagesVisible',
    dimensions: { QueueName: deadLetters.name },
    statistic: 'Maximum',
    above: 0,
    periods: 1,
  },
  ApiFaults: {
    description: 'The API answers 5xx',
    namespace: 'AWS/ApiGateway',
    metric: '5xx',
    dimensions: onApi,
    above: 5,
    periods: 2,
  },
  ...apiThrottles(),
  TableReadThrottles: {
    description: 'Reads of the table are throttled',
    namespace: 'AWS/DynamoDB',
    metric: 'ReadThrottleEvents',
    dimensions: onTable,
    above: 10,
    periods: 2,
  },
  TableWriteThrottles: {
    description: 'Writes of the table are throttled',
    namespace: 'AWS/DynamoDB',
    metric: 'WriteThrottleEvents',
    dimensions: onTable,
    above: 10,
    periods: 2,
  },
  JanitorFindings: {
    description: 'The janitor cannot settle something',
    namespace: FINDINGS.namespace,
    metric: FINDINGS.name,
    dimensions: {},
    above: 0,
    periods: 3,
  },
  JanitorSilent: {
    description: 'The janitor was not called',
    namespace: 'AWS/Lambda',
    metric: 'Invocations',
    dimensions: { FunctionName: functions.janitor.name },
    above: 0,
    isTooFew: true,
    periods: 2,
  },
  JanitorFailed: {
    description: 'The janitor does not run',
    namespace: 'AWS/Lambda',
    metric: 'Errors',
    dimensions: { FunctionName: functions.janitor.name },
    above: 2,
    periods: 2,
  },
  ...(onLocalStack || settings.config.gateway === 'off' ? {} : await gatewayAlarms()),
};

function apiThrottles(): Record<string, Alarm> {
  const names = Object.keys(sizes.apiConcurrency) as (keyof typeof sizes.apiConcurrency)[];
  return Object.fromEntries(
    names.map((name) => [
      `${logical(name)}Throttles`,
      {
        description: `${name} runs out of its reserved concurrency`,
        namespace: 'AWS/Lambda',
        metric: 'Throttles',
        dimensions: { FunctionName: functions[name].name },
        above: 10,
        periods: 1,
      },
    ]),
  );
}

async function gatewayAlarms(): Promise<Record<string, Alarm>> {
  const { balancer, targetGroup } = await import('./gateway-metrics.ts');
  const dimensions = { LoadBalancer: balancer, TargetGroup: targetGroup };
  const namespace = 'AWS/ApplicationELB';
  return {
    GatewayFaults: {
      description: 'Uploads or downloads fail with 5xx',
      namespace,
      metric: 'HTTPCode_Target_5XX_Count',
      dimensions,
      above: 5,
      periods: 2,
    },
    GatewayUnhealthy: {
      description: 'A gateway task does not answer its health check',
      namespace,
      metric: 'UnHealthyHostCount',
      dimensions,
      statistic: 'Maximum',
      above: 0,
      periods: 3,
    },
  };
}

for (const [name, alarm] of Object.entries(ALARMS)) {
  new aws.cloudwatch.MetricAlarm(`${name}Alarm`, {
    name: named(name.replaceAll(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()),
    alarmDescription: alarm.description,
    namespace: alarm.namespace,
    metricName: alarm.metric,
    dimensions: alarm.dimensions,
    statistic: alarm.statistic ?? 'Sum',
    comparisonOperator: alarm.isTooFew ? 'LessThanOrEqualToThreshold' : 'GreaterThanThreshold',
    threshold: alarm.above,
    period: 300,
    evaluationPeriods: alarm.periods,
    treatMissingData: alarm.isTooFew ? 'breaching' : 'notBreaching',
    alarmActions: [topic.arn],
    okActions: [topic.arn],
  });
}

const WIDTH = 12;
const HEIGHT = 6;

type Shown = Pick<Alarm, 'description' | 'namespace' | 'metric' | 'dimensions'> & { readonly statistic?: string };

const finished = (description: string, metric: Metric, statistic: string): Shown => ({
  description,
  namespace: METRICS_NAMESPACE,
  metric,
  dimensions: { service: 'import-finish' },
  statistic,
});

/** What a service does, above what may be wrong with it. */
const WORK: Readonly<Record<string, Shown>> = {
  ImportsSucceeded: finished('Imports that ended well', 'ImportsSucceeded', 'Sum'),
  ImportsFailed: {
    ...finished('Imports that failed', 'ImportsFailed', 'Sum'),
    dimensions: { service: 'import-revert' },
  },
  ImportedBytes: finished('Bytes imported', 'ImportedBytes', 'Sum'),
  ImportSeconds: finished('Nine of ten imports took less, in seconds', 'ImportSeconds', 'p90'),
};

/** A widget each, two in a row: then what would alarm. */
new aws.cloudwatch.Dashboard('Dashboard', {
  dashboardName: named('service'),
  dashboardBody: $util
    .all(Object.entries({ ...WORK, ...ALARMS }).map(([name, shown]) => widget(name, shown)))
    .apply((widgets) =>
      JSON.stringify({
        widgets: widgets.map((one, at) => ({ ...one, x: (at % 2) * WIDTH, y: Math.floor(at / 2) * HEIGHT })),
      }),
    ),
});

function widget(name: string, { namespace, metric, dimensions, statistic, description }: Shown) {
  return $util.output(dimensions).apply((resolved) => ({
    type: 'metric',
    width: WIDTH,
    height: HEIGHT,
    properties: {
      title: `${logical(name)}: ${description}`,
      region: settings.region,
      stat: statistic ?? 'Sum',
      period: 300,
      metrics: [[namespace, metric, ...Object.entries(resolved).flat()]],
    },
  }));
}
