/**
 * What a stage costs per month when nobody uses it, from its graph. Prices: AWS price lists of us-east-1, on demand, in US dollars, without
 * the free tier; they change rarely, but look before you rely on them.
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
} as const;

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
    Alarms: count('cloudwatch/metricAlarm:MetricAlarm') * PRICES.alarm,
    Dashboard: count('cloudwatch/dashboard:Dashboard') * PRICES.dashboard,
  };
  return Object.fromEntries(Object.entries(lines).map(([name, dollars]) => [name, Math.round(dollars * 100) / 100]));
}

export const total = (lines: Readonly<Record<string, number>>): number =>
  Math.round(Object.values(lines).reduce((sum, dollars) => sum + dollars, 0) * 100) / 100;
