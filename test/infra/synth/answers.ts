/** What the mock engine answers: attributes that AWS would make up, and look-ups. */
export const ACCOUNT = '123456789012';

type Inputs = Readonly<Record<string, unknown>>;

/** Attributes by type, over the inputs and the generic ones. `id` defaults to the name. */
const ATTRIBUTES: Readonly<Record<string, (name: string, inputs: Inputs, region: string) => Record<string, unknown>>> =
  {
    'aws:s3/bucket:Bucket': (name, inputs, region) => {
      const bucket = String(inputs['bucket'] ?? name.toLowerCase());
      return {
        bucket,
        id: bucket,
        arn: `arn:aws:s3:::${bucket}`,
        bucketDomainName: `${bucket}.s3.amazonaws.com`,
        bucketRegionalDomainName: `${bucket}.s3.${region}.amazonaws.com`,
      };
    },
    'aws:lambda/function:Function': (_, inputs, region) => {
      const arn = `arn:aws:lambda:${region}:${ACCOUNT}:function:${String(inputs['name'])}`;
      return {
        arn,
        qualifiedArn: `${arn}:1`,
        invokeArn: `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations`,
      };
    },
    'aws:apigatewayv2/api:Api': (name, _, region) => ({
      id: `${name.toLowerCase()}0001`,
      apiEndpoint: `https://${name.toLowerCase()}0001.execute-api.${region}.amazonaws.com`,
      executionArn: `arn:aws:execute-api:${region}:${ACCOUNT}:${name.toLowerCase()}0001`,
    }),
    'aws:sqs/queue:Queue': (name, inputs, region) => {
      const url = `https://sqs.${region}.amazonaws.com/${ACCOUNT}/${String(inputs['name'] ?? name)}`;
      return { url, id: url, arn: `arn:aws:sqs:${region}:${ACCOUNT}:${String(inputs['name'] ?? name)}` };
    },
    'aws:sfn/stateMachine:StateMachine': (name, inputs, region) => ({
      arn: `arn:aws:states:${region}:${ACCOUNT}:stateMachine:${String(inputs['name'] ?? name)}`,
    }),
    'aws:ssm/parameter:Parameter': (name, inputs, region) => ({
      arn: `arn:aws:ssm:${region}:${ACCOUNT}:parameter${String(inputs['name'] ?? `/${name}`)}`,
      version: 7,
    }),
    'aws:cloudwatch/eventRule:EventRule': (name, inputs, region) => ({
      arn: `arn:aws:events:${region}:${ACCOUNT}:rule/${String(inputs['name'] ?? name)}`,
    }),
    'aws:cloudwatch/logGroup:LogGroup': (name, inputs, region) => ({
      arn: `arn:aws:logs:${region}:${ACCOUNT}:log-group:${String(inputs['name'] ?? name)}`,
    }),
    'aws:cloudfront/distribution:Distribution': () => ({
      domainName: 'd111111abcdef8.cloudfront.net',
      etag: 'E1',
      hostedZoneId: 'Z2FDTNDATAQYW2',
    }),
    'aws:lb/loadBalancer:LoadBalancer': (name, inputs, region) => ({
      arn: `arn:aws:elasticloadbalancing:${region}:${ACCOUNT}:loadbalancer/app/${name}/0123456789abcdef`,
      dnsName: `${inputs['internal'] === true ? 'internal-' : ''}${name.toLowerCase()}.${region}.elb.amazonaws.com`,
      zoneId: 'Z35SXDOTRQ7X7K',
    }),
    'aws:lb/targetGroup:TargetGroup': (name, _, region) => ({
      arn: `arn:aws:elasticloadbalancing:${region}:${ACCOUNT}:targetgroup/${name}/0123456789abcdef`,
    }),
    'aws:ecs/taskDefinition:TaskDefinition': (name, inputs, region) => ({
      arn: `arn:aws:ecs:${region}:${ACCOUNT}:task-definition/${String(inputs['family'] ?? name)}:1`,
    }),
    'aws:ec2/vpc:Vpc': () => ({
      defaultSecurityGroupId: 'sg-default',
      mainRouteTableId: 'rtb-main',
      cidrBlock: '10.0.0.0/16',
    }),
    'aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace': () => ({ hostedZone: 'Z0000' }),
    'random:index/randomBytes:RandomBytes': () => ({ base64: 'AAAA', hex: '00' }),
    'tls:index/privateKey:PrivateKey': () => ({ publicKeyOpenssh: 'ssh-rsa AAAA', privateKeyOpenssh: 'secret' }),
    'docker-build:index:Image': () => ({ ref: 'image@sha256:00', digest: `sha256:${'0'.repeat(64)}` }),
    'command:local:Command': () => ({ stdout: '' }),
  };

/** `aws:iam/role:Role` → `role`: kind in a generic ARN. */
const kindOf = (type: string): string => type.split(':').at(-1)?.toLowerCase() ?? type;
const serviceOf = (type: string): string => type.split(':')[1]?.split('/')[0] ?? 'unknown';

/** State of a new resource: inputs, generic attributes, then the ones of its type. */
export function newResource(type: string, name: string, inputs: Inputs, region: string): { id: string; state: Inputs } {
  const own = ATTRIBUTES[type]?.(name, inputs, region) ?? {};
  const physical = String(inputs['name'] ?? name);
  const state = {
    name: physical,
    region,
    tagsAll: {},
    arn: `arn:aws:${serviceOf(type)}:${region}:${ACCOUNT}:${kindOf(type)}/${physical}`,
    ...inputs,
    ...own,
  };
  return { id: String(own['id'] ?? `${name}-id`), state };
}

interface PolicyStatement {
  readonly sid?: string;
  readonly effect?: string;
  readonly actions?: readonly string[];
  readonly resources?: readonly string[];
  readonly principals?: readonly { readonly type: string; readonly identifiers: readonly string[] }[];
  readonly conditions?: readonly {
    readonly test: string;
    readonly variable: string;
    readonly values: readonly string[];
  }[];
}

/** The document as IAM would get it, so that policies can be looked into. */
function policyDocument({ statements = [] }: { statements?: readonly PolicyStatement[] }): Inputs {
  const Statement = statements.map(({ sid, effect, actions, resources, principals, conditions }) => ({
    ...(sid ? { Sid: sid } : {}),
    Effect: effect ?? 'Allow',
    Action: actions ?? [],
    ...(resources ? { Resource: resources } : {}),
    ...(principals
      ? {
          Principal: Object.fromEntries(
            principals.map(({ type, identifiers }) => [type === '*' ? 'AWS' : type, identifiers]),
          ),
        }
      : {}),
    ...(conditions?.length
      ? {
          Condition: Object.fromEntries(conditions.map(({ test, variable, values }) => [test, { [variable]: values }])),
        }
      : {}),
  }));
  const json = JSON.stringify({ Version: '2012-10-17', Statement });
  return { id: 'policy', json, minifiedJson: json, statements };
}

const LOOK_UPS: Readonly<Record<string, (inputs: Inputs, region: string) => Inputs>> = {
  'aws:iam/getPolicyDocument:getPolicyDocument': (inputs) => policyDocument(inputs),
  'aws:index/getRegion:getRegion': (_, region) => ({
    id: region,
    region,
    name: region,
    endpoint: `ec2.${region}.amazonaws.com`,
  }),
  'aws:index/getPartition:getPartition': () => ({ id: 'aws', partition: 'aws', dnsSuffix: 'amazonaws.com' }),
  'aws:index/getCallerIdentity:getCallerIdentity': () => ({
    id: ACCOUNT,
    accountId: ACCOUNT,
    arn: `arn:aws:iam::${ACCOUNT}:user/deployer`,
    userId: 'AIDA',
  }),
  'aws:index/getAvailabilityZones:getAvailabilityZones': (_, region) => ({
    id: region,
    names: ['a', 'b', 'c'].map((zone) => `${region}${zone}`),
    zoneIds: ['1', '2', '3'],
  }),
  'aws:servicequotas/getServiceQuota:getServiceQuota': (inputs) => ({
    ...inputs,
    id: 'quota',
    quotaName: 'Concurrent executions',
    value: Number(process.env['MOCK_CONCURRENT_EXECUTIONS'] ?? 1000),
  }),
  'aws:ec2/getManagedPrefixList:getManagedPrefixList': (inputs) => ({ ...inputs, id: 'pl-cloudfront', arn: 'arn:pl' }),
  'aws:ecr/getAuthorizationToken:getAuthorizationToken': () => ({
    id: 'token',
    proxyEndpoint: `https://${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com`,
    userName: 'AWS',
    password: 'secret',
  }),
};

/** The answer of a look-up; undefined when the harness knows none. */
export function lookUp(token: string, inputs: Inputs, region: string): Inputs | undefined {
  return LOOK_UPS[token]?.(inputs, region);
}
