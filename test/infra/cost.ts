/**
 * What a stage costs per month when nobody uses it, from its graph. Prices of us-east-1, on demand, in US dollars, without the free tier;
 * where each was read, and when: docs/operations/capacity.md. They change rarely, but look before you rely on them.
 */
import { ofType } from './graph.ts';
import type { Graph } from './synth/graph-types.ts';

const HOURS = 730;
const PRICES = {
  /** Fargate, Linux on ARM, per hour. */
  vcpu: 0.03238,
  memoryGB: 0.00356,
  /** Application Load Balancer, per hour, without capacity units: nothing passes. */
  loadBalancer: 0.0225,
  /** A public IPv4 address, per hour. */
  publicAddress: 0.005,
  /** Per month. */
  key: 1,
  hostedZone: 0.5,
  alarm: 0.1,
  dashboard: 3,
  customMetric: 0.3,
} as const;

/** Target tracking makes two alarms for each policy, and an alarm costs as much as the metrics it computes with. */
function scalingAlarms(graph: Graph): number {
  const metrics = ofType(graph, 'appautoscaling/policy:Policy').map(({ inputs }) => {
    const text = JSON.stringify(inputs['targetTrackingScalingPolicyConfiguration'] ?? {});
    return Math.max(1, text.split('"metricStat"').length - 1);
  });
  return 2 * metrics.reduce((sum, each) => sum + each, 0);
}

/** Lines of the bill, in dollars per month with cents. */
export function costAtRest(graph: Graph): Record<string, number> {
  const count = (type: string): number => ofType(graph, type).length;
  // The others are started when they are needed.
  const task = ofType(graph, 'ecs/taskDefinition:TaskDefinition').find(({ name }) => name === 'GatewayTask');
  const tasks = Number(ofType(graph, 'appautoscaling/target:Target')[0]?.inputs['minCapacity'] ?? 0);
  const each =
    (Number(task?.inputs['cpu'] ?? 0) / 1024) * PRICES.vcpu +
    (Number(task?.inputs['memory'] ?? 0) / 1024) * PRICES.memoryGB;
  const publicBalancers = ofType(graph, 'lb/loadBalancer:LoadBalancer').filter(
    ({ inputs }) => inputs['internal'] === false,
  );
  // A load balancer has an address in each of its two zones; a task has one.
  const addresses = tasks + publicBalancers.length * 2;
  const lines = {
    'Fargate tasks': tasks * each * HOURS,
    'Load balancer': count('lb/loadBalancer:LoadBalancer') * PRICES.loadBalancer * HOURS,
    'Public IPv4 addresses': addresses * PRICES.publicAddress * HOURS,
    'KMS key': count('kms/key:Key') * PRICES.key,
    'Private DNS zone': count('servicediscovery/privateDnsNamespace:PrivateDnsNamespace') * PRICES.hostedZone,
    Alarms: (count('cloudwatch/metricAlarm:MetricAlarm') + scalingAlarms(graph)) * PRICES.alarm,
    'Custom metrics': count('cloudwatch/logMetricFilter:LogMetricFilter') * PRICES.customMetric,
    Dashboard: count('cloudwatch/dashboard:Dashboard') * PRICES.dashboard,
  };
  return Object.fromEntries(Object.entries(lines).map(([name, dollars]) => [name, Math.round(dollars * 100) / 100]));
}

export const total = (lines: Readonly<Record<string, number>>): number =>
  Math.round(Object.values(lines).reduce((sum, dollars) => sum + dollars, 0) * 100) / 100;

/** Columns of the guide's table, and the stage of stages.ts that each stands for. */
export const COST_COLUMNS = {
  dev: 'dev behind CloudFront',
  'production, CloudFront': 'production over three regions, with a Keystone',
  'production, load balancer': 'production behind a load balancer in Frankfurt',
} as const;

/** The table of docs/operations/capacity.md, in Markdown. */
export function costTable(graphs: Readonly<Record<(typeof COST_COLUMNS)[keyof typeof COST_COLUMNS], Graph>>): string {
  const columns = Object.values(COST_COLUMNS).map((name) => costAtRest(graphs[name]));
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const dollars = (values: readonly number[]): string[] => values.map((value) => value.toFixed(2));
  const names = Object.keys(columns[0] ?? {});
  return [
    row(['', ...Object.keys(COST_COLUMNS)]).replace('|  |', '| |'),
    `|${'---|'.repeat(columns.length + 1)}`,
    ...names.map((name) => row([name, ...dollars(columns.map((lines) => lines[name] ?? 0))])),
    row(['**Sum**', ...dollars(columns.map(total))]),
  ].join('\n');
}
