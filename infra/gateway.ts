/**
 * The data plane: a Fargate service behind a load balancer. Tasks lie in public subnets with an address of their own (no NAT to pay
 * for); nothing but the load balancer reaches them. With edge `alb` the load balancer is public, else only CloudFront reaches it.
 */
import { api } from './api.ts';
import { environmentOf } from './environment.ts';
import { key } from './kms.ts';
import { statementsOf } from './permissions.ts';
import { publicEndpoint } from './public-endpoint.ts';
import { edgeSecret, tokenSecrets } from './secrets.ts';
import { logical, named, settings, sizes } from './stage.ts';
import { crossesRegions } from './storage.ts';
import { targets } from './targets.ts';

const PORT = 8080;
/** The longest a load balancer lets a connection be silent, in seconds: a slow client is the gateway's to judge. */
const IDLE_SECONDS = 4000;
/** A task that leaves is given this long to finish its transfers; after SIGTERM Fargate waits two minutes at most. */
const DRAIN_SECONDS = 3600;

const isPublic = settings.edge === 'alb';
/** Off: no task runs and nothing balances; the definition stays, whose image long steps of imports run (step-containers.ts). */
export const isOn = settings.config.gateway === 'on';

export const vpc = new sst.aws.Vpc('Vpc', { az: 2 });
export const cluster = new sst.aws.Cluster('Cluster', {
  vpc,
  transform: {
    cluster: { settings: [{ name: 'containerInsights', value: sizes.durable ? 'enabled' : 'disabled' }] },
  },
});

/**
 * Image bytes go to S3 without leaving the network. Not where a store lies in another region: such an endpoint refuses copies from there
 * (S3 user guide, "Gateway endpoints": the same region only), and tasks, which have addresses of their own, reach S3 as free without.
 */
for (const service of crossesRegions ? ['dynamodb'] : ['s3', 'dynamodb']) {
  new aws.ec2.VpcEndpoint(`Endpoint${service === 's3' ? 'S3' : 'Dynamodb'}`, {
    vpcId: vpc.id,
    serviceName: `com.amazonaws.${settings.region}.${service}`,
    vpcEndpointType: 'Gateway',
    routeTableIds: $util
      .all([vpc.nodes.publicRouteTables, vpc.nodes.privateRouteTables])
      .apply(([open, closed]) => $util.all([...open, ...closed].map((table) => table.id))),
  });
}

/** By variable: `GLIMPSE_VERIFICATION_KEYS` → the parameter that holds it. */
const parameters: Readonly<Record<string, aws.ssm.Parameter>> = Object.fromEntries(
  Object.entries({ ...tokenSecrets.checks, GLIMPSE_EDGE_SECRET: edgeSecret }).map(([variable, value]) => {
    const name = variable.replace('GLIMPSE_', '').toLowerCase().replaceAll('_', '-');
    const parameter = new aws.ssm.Parameter(`${logical(name)}Parameter`, {
      name: `/${$app.name}/${$app.stage}/${name}`,
      type: 'SecureString',
      keyId: key.arn,
      value,
    });
    return [variable, parameter];
  }),
);

/** A task reads its secrets when it starts. Only a definition that names their versions is a new one after they were rotated. */
const secretVersions = $util
  .all(Object.values(parameters).map(({ name, version }) => $interpolate`${name}:${version}`))
  .apply((versions) => versions.join(' '));

const image = settings.gatewayImage ?? { context: '.', dockerfile: 'gateway/Dockerfile' };

/** Who may open a connection to the load balancer. */
function ingress(): $util.Input<aws.types.input.ec2.SecurityGroupIngress>[] {
  const tcp = (port: number) => ({ protocol: 'tcp', fromPort: port, toPort: port });
  if (isPublic) return [443, 80].map((port) => ({ ...tcp(port), cidrBlocks: ['0.0.0.0/0'], description: 'Clients' }));
  const cloudfront = aws.ec2.getManagedPrefixListOutput({ name: 'com.amazonaws.global.cloudfront.origin-facing' });
  return [{ ...tcp(80), prefixListIds: [cloudfront.id], description: 'CloudFront' }];
}

export const gateway = new sst.aws.Service('Gateway', {
  cluster,
  architecture: 'arm64',
  cpu: sizes.gateway.cpu,
  memory: sizes.gateway.memory,
  image,
  environment: { ...environmentOf('gateway'), GLIMPSE_API_URL: api.url },
  ssm: Object.fromEntries(Object.entries(parameters).map(([variable, { arn }]) => [variable, arn])),
  permissions: statementsOf('gateway', targets),
  logging: { retention: sizes.logRetention },
  health: {
    command: ['CMD', 'node', 'gateway/health.ts'],
    // A task that fails it is replaced, with all its transfers: what is only busy must not, what is dead may wait five minutes.
    startPeriod: '20 seconds',
    interval: '30 seconds',
    timeout: '20 seconds',
    retries: 10,
  },
  ...(isOn ? { loadBalancer: balanced() } : {}),
  scaling: isOn
    ? { min: sizes.gateway.min, max: sizes.gateway.max, cpuUtilization: 60, memoryUtilization: 75 }
    : { min: 0, max: 0 },
  transform: {
    loadBalancer: (args) => {
      args.idleTimeout = IDLE_SECONDS;
      args.dropInvalidHeaderFields = true;
      args.enableDeletionProtection = sizes.durable;
    },
    loadBalancerSecurityGroup: (args) => {
      args.description = named('load-balancer');
      args.ingress = ingress();
    },
    target: (args) => {
      args.deregistrationDelay = DRAIN_SECONDS;
      // Transfers differ by orders of magnitude: the next one goes where the fewest run.
      args.loadBalancingAlgorithmType = 'least_outstanding_requests';
    },
    service: (args) => {
      args.enableExecuteCommand = false;
      args.healthCheckGracePeriodSeconds = 120;
    },
    executionRole: (args) => {
      args.inlinePolicies = [{ name: 'secrets', policy: readsSecrets().json }];
    },
    taskRole: (args) => {
      args.inlinePolicies = [{ name: 'gateway', policy: taskPolicy().json }];
    },
    taskDefinition: (args) => {
      args.containerDefinitions = $util
        .all([args.containerDefinitions, publicEndpoint, secretVersions])
        .apply(([text, url, versions]) => hardened(JSON.parse(text) as ContainerDefinition[], url, versions));
    },
  },
});

function balanced(): Exclude<sst.aws.ServiceArgs['loadBalancer'], undefined> {
  return {
    public: isPublic,
    rules: isPublic
      ? [
          { listen: '443/https', forward: `${PORT}/http` },
          { listen: '80/http', redirect: '443/https' },
        ]
      : [{ listen: '80/http', forward: `${PORT}/http` }],
    ...(isPublic &&
      settings.domain && {
        domain: { name: settings.domain.name, cert: settings.domain.certificateArn, dns: false },
      }),
    health: {
      [`${PORT}/http`]: {
        path: '/healthcheck',
        interval: '30 seconds',
        timeout: '20 seconds',
        healthyThreshold: 2,
        unhealthyThreshold: 10,
      },
    },
  };
}

/** Instead of the component's role, which may read every parameter and secret of the account. */
function readsSecrets(): $util.Output<aws.iam.GetPolicyDocumentResult> {
  return aws.iam.getPolicyDocumentOutput({
    statements: [
      { actions: ['ssm:GetParameters'], resources: Object.values(parameters).map(({ arn }) => arn) },
      { actions: ['kms:Decrypt'], resources: [key.arn] },
    ],
  });
}

/** Without the channels of `ecs execute-command`, which the component adds: nobody has a shell in production. */
function taskPolicy(): $util.Output<aws.iam.GetPolicyDocumentResult> {
  return aws.iam.getPolicyDocumentOutput({ statements: statementsOf('gateway', targets) });
}

interface ContainerDefinition {
  readonly environment?: readonly { readonly name: string; readonly value: string }[];
}

/** Read-only root file system, one open port, plain log lines, all the time Fargate gives to end well; and the public endpoint. */
function hardened(containers: readonly ContainerDefinition[], url: string, versions: string): string {
  return JSON.stringify(
    containers.map((container) => ({
      ...container,
      environment: [...(container.environment ?? []), { name: 'GLIMPSE_PUBLIC_ENDPOINT', value: url }],
      readonlyRootFilesystem: true,
      dockerLabels: { secrets: versions },
      stopTimeout: 120,
      pseudoTerminal: false,
      portMappings: [{ containerPort: PORT, protocol: 'tcp' }],
    })),
  );
}
