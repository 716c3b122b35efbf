/** What an operator comes to know of a stage: what failed, what is logged, measured and alarmed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { HTTP_STATUS } from '../../api/errors.ts';
import { METRICS } from '../../aws/telemetry.ts';
import { RULES, SCHEDULES } from '../../workflows/topology.ts';
import { allowed, functionOf, ofType, only, ROOT, roleOf, statements, variablesOf } from './graph.ts';
import { STAGES, type StageName } from './stages.ts';

describe.each(Object.entries(STAGES))('%s', (name, scenario) => {
  const graph = inject('graphs')[name as StageName];
  const onLocalStack = scenario.stage === 'localstack';
  const production = scenario.stage === 'production';
  const lambdas = ofType(graph, 'lambda/function:Function');

  test('no log is kept for ever', () => {
    const groups = ofType(graph, 'cloudwatch/logGroup:LogGroup');
    // Of the API, of the state machine, of the gateway and of containers, besides those of functions.
    expect(groups).toHaveLength(lambdas.length + (onLocalStack ? 2 : 4));
    for (const { name, inputs } of groups) expect(inputs['retentionInDays'], name).toBe(production ? 90 : 7);
  });

  test('every event target and schedule has a dead-letter queue that takes what it sends', () => {
    const queue = only(graph, 'sqs/queue:Queue');
    expect(queue.inputs).toMatchObject({ sqsManagedSseEnabled: true, messageRetentionSeconds: 1_209_600 });
    const rules = ofType(graph, 'cloudwatch/eventRule:EventRule').map((rule) => rule.state['arn']);
    for (const { inputs } of ofType(graph, 'cloudwatch/eventTarget:EventTarget')) {
      expect(inputs).toMatchObject({
        deadLetterConfig: { arn: queue.state['arn'] },
        retryPolicy: { maximumRetryAttempts: expect.any(Number) },
      });
    }
    const [send] = statements(only(graph, 'sqs/queuePolicy:QueuePolicy').inputs['policy']);
    expect(send?.Condition).toEqual({ ArnEquals: { 'aws:SourceArn': expect.arrayContaining(rules) } });
    for (const { inputs } of ofType(graph, 'scheduler/schedule:Schedule')) {
      const target = inputs['target'] as { roleArn: string; deadLetterConfig: unknown };
      expect(target.deadLetterConfig).toEqual({ arn: queue.state['arn'] });
      expect(allowed(roleOf(graph, target.roleArn))).toContainEqual(
        expect.objectContaining({ Action: ['sqs:SendMessage'], Resource: [queue.state['arn']] }),
      );
    }
  });

  test('an event whose function fails at it is kept; a run of a schedule that failed is not repeated', () => {
    const configs = ofType(graph, 'lambda/functionEventInvokeConfig:FunctionEventInvokeConfig');
    const configOf = (target: string) =>
      configs.find(({ inputs }) => inputs['functionName'] === functionOf(graph, target).state['name'])?.inputs;
    const queue = only(graph, 'sqs/queue:Queue').state['arn'];
    for (const { target } of RULES) {
      expect(configOf(target), target).toMatchObject({
        maximumRetryAttempts: 2,
        destinationConfig: { onFailure: { destination: queue } },
      });
      expect(allowed(roleOf(graph, functionOf(graph, target).inputs['role'])), target).toContainEqual(
        expect.objectContaining({ Action: ['sqs:SendMessage'], Resource: [queue] }),
      );
    }
    for (const { target } of SCHEDULES) expect(configOf(target), target).toMatchObject({ maximumRetryAttempts: 0 });
    expect(configs).toHaveLength(RULES.length + SCHEDULES.length);
  });

  test('the findings that are counted are those that the janitor logs', () => {
    const { pattern } = only(graph, 'cloudwatch/logMetricFilter:LogMetricFilter').inputs;
    const [, message = ''] = /^\{ \$\.message = "(.+)" \}$/.exec(String(pattern)) ?? [];
    const janitor = readFileSync(join(ROOT, 'core/janitor/janitor.ts'), 'utf8');
    expect(message).not.toBe('');
    expect(janitor).toContain(`deps.log.error('${message}'`);
  });

  test('the guide says of every alarm what it means and what to do', () => {
    const guide = readFileSync(join(ROOT, 'docs/operations/observe.md'), 'utf8');
    const explained = [...guide.matchAll(/^\| ([a-z][a-z-]+(?:, [a-z-]+)*) \| /gm)].flatMap(([, names = '']) =>
      names.split(', '),
    );
    const declared = ofType(graph, 'cloudwatch/metricAlarm:MetricAlarm').map(({ inputs }) =>
      String(inputs['name']).replace(`glimpse-${scenario.stage}-`, ''),
    );
    expect(declared.filter((alarm) => !explained.includes(alarm))).toEqual([]);
    if (!onLocalStack) expect(explained.toSorted()).toEqual(declared.toSorted());
  });

  test('alarms watch what matters, tell someone, and the dashboard shows them all', () => {
    const alarms = ofType(graph, 'cloudwatch/metricAlarm:MetricAlarm');
    const watched = alarms.map(
      ({ inputs }) => `${String(inputs['namespace']).replace(/^glimpse-.*/, 'ours')} ${String(inputs['metricName'])}`,
    );
    const kindOfFailure = alarms
      .map(({ inputs }) => inputs['dimensions'] as { kind?: string } | undefined)
      .flatMap((dimensions) => dimensions?.kind ?? []);
    expect(watched.toSorted()).toEqual(
      [
        'AWS/States ExecutionsFailed',
        'AWS/States ExecutionsTimedOut',
        'AWS/SQS ApproximateNumberOfMessagesVisible',
        'AWS/ApiGateway 5xx',
        'AWS/Lambda Errors',
        'AWS/Lambda Invocations',
        ...['api-images', 'api-identity', 'api-metadefs'].map(() => 'AWS/Lambda Throttles'),
        'AWS/DynamoDB ReadThrottleEvents',
        'AWS/DynamoDB WriteThrottleEvents',
        'ours ImportsFailed',
        'ours JanitorFindings',
        ...(onLocalStack
          ? []
          : ['AWS/ApplicationELB HTTPCode_Target_5XX_Count', 'AWS/ApplicationELB UnHealthyHostCount']),
      ].toSorted(),
    );
    expect(kindOfFailure.map((kind) => kind in HTTP_STATUS)).toEqual([true]);
    const throttled = alarms.filter(({ inputs }) => inputs['metricName'] === 'Throttles');
    expect(
      throttled.map(({ inputs }) => (inputs['dimensions'] as { FunctionName: string }).FunctionName).sort(),
    ).toEqual(['api-identity', 'api-images', 'api-metadefs'].map((fn) => functionOf(graph, fn).state['name']).sort());
    const topic = only(graph, 'sns/topic:Topic').state['arn'];
    for (const { name, inputs } of alarms) expect(inputs['alarmActions'], name).toEqual([topic]);
    const body = JSON.parse(String(only(graph, 'cloudwatch/dashboard:Dashboard').inputs['dashboardBody']));
    expect(body.widgets).toHaveLength(alarms.length + Object.keys(METRICS).length);
    const filter = only(graph, 'cloudwatch/logMetricFilter:LogMetricFilter').inputs;
    expect(filter['logGroupName']).toBe(
      (functionOf(graph, 'janitor').inputs['loggingConfig'] as { logGroup: string }).logGroup,
    );
  });

  test('a janitor that nobody calls is noticed, though there is no figure then', () => {
    const alarms = ofType(graph, 'cloudwatch/metricAlarm:MetricAlarm');
    const silent = alarms.find(({ inputs }) => inputs['metricName'] === 'Invocations');
    expect(silent?.inputs).toMatchObject({
      dimensions: { FunctionName: functionOf(graph, 'janitor').state['name'] },
      comparisonOperator: 'LessThanOrEqualToThreshold',
      threshold: 0,
      treatMissingData: 'breaching',
    });
    for (const { name, inputs } of alarms.filter((alarm) => alarm !== silent))
      expect(inputs, name).toMatchObject({
        comparisonOperator: 'GreaterThanThreshold',
        treatMissingData: 'notBreaching',
      });
  });

  test('every metric that functions write is shown, from the function that writes it', () => {
    const body = JSON.parse(String(only(graph, 'cloudwatch/dashboard:Dashboard').inputs['dashboardBody']));
    const shown = body.widgets.flatMap((widget: { properties: { metrics: string[][] } }) => widget.properties.metrics);
    const namespace = `glimpse-${scenario.stage}-glimpse`;
    for (const fn of lambdas) expect(variablesOf(fn)['POWERTOOLS_METRICS_NAMESPACE']).toBe(namespace);
    for (const metric of Object.keys(METRICS)) {
      const service = metric === 'ImportsFailed' ? 'import-revert' : 'import-finish';
      expect(shown, metric).toContainEqual([namespace, metric, 'service', service]);
      expect(variablesOf(functionOf(graph, service))['POWERTOOLS_SERVICE_NAME']).toBe(service);
    }
  });
});
