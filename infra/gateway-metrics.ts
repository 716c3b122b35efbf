/** Dimensions of the load balancer's metrics: the ends of its ARNs (`app/NAME/ID`, `targetgroup/NAME/ID`). */
import { gateway } from './gateway.ts';

export const balancer: $util.Output<string> = gateway.nodes.loadBalancer.arn.apply((arn) =>
  after(arn, 'loadbalancer/'),
);

export const targetGroup: $util.Output<string> = gateway.nodes.service.loadBalancers.apply((attached) => {
  const arn = attached?.[0]?.targetGroupArn;
  if (!arn) throw new Error('the gateway service is attached to no target group');
  return arn.slice(arn.indexOf('targetgroup/'));
});

function after(arn: string, mark: string): string {
  return arn.slice(arn.indexOf(mark) + mark.length);
}
