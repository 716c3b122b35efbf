/**
 * What a data plane runs out of besides CPU: connections and network. Both are load-balancer figures divided by the tasks that share
 * them, so no agent is needed; target tracking adds tasks at the target and removes them well below it.
 */
import { gateway } from './gateway.ts';
import { balancer, targetGroup } from './gateway-metrics.ts';

/** Slow uploads held open by one task, each with its share of the upload budget. */
const CONNECTIONS_PER_TASK = 200;
/** Bytes per minute and task: 60 MiB/s is cautious for one vCPU that hashes, signs and encrypts; nobody has measured it on Fargate. */
const BYTES_PER_MINUTE = 60 * 60 * 1024 * 1024;

function track(name: string, metricName: string, targetValue: number): void {
  new aws.appautoscaling.Policy(`GatewayScaling${name}`, {
    serviceNamespace: gateway.nodes.autoScalingTarget.serviceNamespace,
    scalableDimension: gateway.nodes.autoScalingTarget.scalableDimension,
    resourceId: gateway.nodes.autoScalingTarget.resourceId,
    policyType: 'TargetTrackingScaling',
    targetTrackingScalingPolicyConfiguration: {
      targetValue,
      scaleOutCooldown: 60,
      // A task that leaves drains for up to an hour: do not be hasty.
      scaleInCooldown: 900,
      customizedMetricSpecification: {
        metrics: [
          {
            id: 'load',
            returnData: false,
            metricStat: {
              stat: 'Sum',
              metric: {
                namespace: 'AWS/ApplicationELB',
                metricName,
                dimensions: [{ name: 'LoadBalancer', value: balancer }],
              },
            },
          },
          {
            id: 'tasks',
            returnData: false,
            metricStat: {
              stat: 'Average',
              metric: {
                namespace: 'AWS/ApplicationELB',
                metricName: 'HealthyHostCount',
                dimensions: [
                  { name: 'LoadBalancer', value: balancer },
                  { name: 'TargetGroup', value: targetGroup },
                ],
              },
            },
          },
          {
            id: 'each',
            // Without traffic the load balancer reports nothing, and one policy without data keeps all tasks.
            expression: 'FILL(load, 0) / IF(tasks > 0, tasks, 1)',
            label: `${name} per task`,
            returnData: true,
          },
        ],
      },
    },
  });
}

track('Connections', 'ActiveConnectionCount', CONNECTIONS_PER_TASK);
track('Network', 'ProcessedBytes', BYTES_PER_MINUTE);
