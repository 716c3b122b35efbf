/** State machines from the data in workflows/: the definition that the local interpreter runs, with ARNs for its tokens. */
import type { StateMachine } from '../workflows/asl.ts';
import { importImage, importImageInFunctions } from '../workflows/import-image.ts';
import { WORKFLOWS, type WorkflowName } from '../workflows/topology.ts';
import { functions } from './functions.ts';
import { account, logical, named, onLocalStack, settings, sizes } from './stage.ts';

const containers = onLocalStack ? undefined : await import('./step-containers.ts');

const DEFINITIONS: Readonly<Record<WorkflowName, StateMachine>> = {
  'import-image': containers === undefined ? importImageInFunctions : importImage,
};

const LOG_DAYS = { '1 week': 7, '3 months': 90 } as const;

/** What a definition refers to: `${Fn.import-begin}` → ARN. */
const tokens: Record<string, $util.Input<string>> = {
  ...Object.fromEntries(Object.entries(functions).map(([name, fn]) => [`Fn.${name}`, fn.arn])),
  ...containers?.containerTokens,
};

/** Fills in the tokens. @throws Error for a token without a value: a typo must not reach AWS */
function filled(name: string, definition: StateMachine): $util.Output<string> {
  return $util.all(tokens).apply((values) =>
    JSON.stringify(definition).replaceAll(/\$\{([\w.-]+)\}/g, (_, token: string) => {
      const value = values[token];
      if (!value) throw new Error(`workflow ${name}: there is no value for \${${token}}`);
      return value;
    }),
  );
}

function used(definition: StateMachine): $util.Output<string>[] {
  const text = JSON.stringify(definition);
  return Object.entries(functions).flatMap(([name, fn]) => (text.includes(`\${Fn.${name}}`) ? [fn.arn] : []));
}

function declare(name: WorkflowName): aws.sfn.StateMachine {
  const definition = DEFINITIONS[name];
  const fixedName = named(name);
  const logs = new aws.cloudwatch.LogGroup(`${logical(name)}Logs`, {
    // The prefix keeps the size of the log service's resource policy down (Step Functions guide, "Logging").
    name: `/aws/vendedlogs/states/${fixedName}`,
    retentionInDays: LOG_DAYS[sizes.logRetention],
  });
  const states = $interpolate`arn:aws:states:${settings.region}:${account}`;
  const role = new aws.iam.Role(`${logical(name)}Role`, {
    assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: 'states.amazonaws.com' }),
    inlinePolicies: [
      {
        name: 'workflow',
        policy: aws.iam.getPolicyDocumentOutput({
          statements: [
            {
              actions: ['lambda:InvokeFunction'],
              resources: used(definition).flatMap((arn) => [arn, $interpolate`${arn}:*`]),
            },
            ...(containers?.containerStatements ?? []),
            // A distributed map runs its children as executions of this very machine.
            {
              actions: ['states:StartExecution'],
              resources: [$interpolate`${states}:stateMachine:${fixedName}`],
            },
            {
              actions: ['states:DescribeExecution', 'states:StopExecution'],
              resources: [
                $interpolate`${states}:execution:${fixedName}:*`,
                $interpolate`${states}:execution:${fixedName}/*`,
              ],
            },
            {
              actions: ['states:RedriveExecution'],
              resources: [$interpolate`${states}:execution:${fixedName}/*`],
            },
            // Log delivery and tracing know no resources (Service Authorization Reference).
            {
              actions: [
                'logs:CreateLogDelivery',
                'logs:GetLogDelivery',
                'logs:UpdateLogDelivery',
                'logs:DeleteLogDelivery',
                'logs:ListLogDeliveries',
                'logs:PutResourcePolicy',
                'logs:DescribeResourcePolicies',
                'logs:DescribeLogGroups',
                'xray:PutTraceSegments',
                'xray:PutTelemetryRecords',
              ],
              resources: ['*'],
            },
          ],
        }).json,
      },
    ],
  });
  return new aws.sfn.StateMachine(logical(name), {
    name: fixedName,
    definition: filled(name, definition),
    roleArn: role.arn,
    type: 'STANDARD',
    loggingConfiguration: {
      level: 'ERROR',
      includeExecutionData: false,
      logDestination: $interpolate`${logs.arn}:*`,
    },
    tracingConfiguration: { enabled: true },
  });
}

export const workflows = Object.fromEntries(WORKFLOWS.map((name) => [name, declare(name)])) as Record<
  WorkflowName,
  aws.sfn.StateMachine
>;
