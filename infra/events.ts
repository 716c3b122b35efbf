/** Rules and schedules of workflows/topology.ts, each with a dead-letter queue for what could not be delivered or done. */
import { type FunctionName, RULES, SCHEDULES, type WorkflowName } from '../workflows/topology.ts';
import { deadLetters } from './dead-letters.ts';
import { functions } from './functions.ts';
import { logical, named } from './stage.ts';
import { staging } from './storage.ts';
import { workflows } from './workflows.ts';

const rules = RULES.map((declared) => {
  const rule = new aws.cloudwatch.EventRule(`${logical(declared.name)}Rule`, {
    name: named(declared.name),
    description: `Glimpse: ${declared.name}`,
    eventPattern: patternOf(declared.pattern),
  });
  allow(declared.name, declared.target, 'events.amazonaws.com', rule.arn);
  new aws.cloudwatch.EventTarget(`${logical(declared.name)}Target`, {
    rule: rule.name,
    arn: functions[declared.target].arn,
    deadLetterConfig: { arn: deadLetters.arn },
    retryPolicy: { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 },
  });
  return rule;
});

// A rule's queue takes what could not be handed to its function. Handing it over is all that a rule waits for: what the function then
// fails at is Lambda's to try again, and to keep.
for (const target of new Set(RULES.map((rule) => rule.target))) {
  new aws.lambda.FunctionEventInvokeConfig(`${logical(target)}Failures`, {
    functionName: functions[target].name,
    maximumRetryAttempts: 2,
    destinationConfig: { onFailure: { destination: deadLetters.arn } },
  });
}

/** `{staging}` and `{workflow:NAME}` filled in. */
function patternOf(pattern: unknown): $util.Output<string> {
  const arns = Object.fromEntries(Object.entries(workflows).map(([name, machine]) => [name, machine.arn]));
  return $util.all([staging.name, $util.all(arns)]).apply(([bucket, byName]) =>
    JSON.stringify(pattern)
      .replaceAll('{staging}', bucket)
      .replaceAll(/\{workflow:([\w-]+)\}/g, (_, name: WorkflowName) => byName[name] ?? missing(name)),
  );
}

function missing(name: string): never {
  throw new Error(`topology.ts: a rule names the workflow ${name}, which does not exist`);
}

const schedulerRole = new aws.iam.Role('SchedulerRole', {
  assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: 'scheduler.amazonaws.com' }),
  inlinePolicies: [
    {
      name: 'schedules',
      policy: aws.iam.getPolicyDocumentOutput({
        statements: [
          {
            actions: ['lambda:InvokeFunction'],
            resources: [...new Set(SCHEDULES.map(({ target }) => target))].map((target) => functions[target].arn),
          },
          { actions: ['sqs:SendMessage'], resources: [deadLetters.arn] },
        ],
      }).json,
    },
  ],
});

for (const { name, rate, target } of SCHEDULES) {
  new aws.scheduler.Schedule(`${logical(name)}Schedule`, {
    name: named(name),
    scheduleExpression: rate,
    flexibleTimeWindow: { mode: 'OFF' },
    target: {
      arn: functions[target].arn,
      roleArn: schedulerRole.arn,
      input: '{}',
      deadLetterConfig: { arn: deadLetters.arn },
      // The next run comes by itself; an old one is of no use.
      retryPolicy: { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 1 },
    },
  });
}

for (const target of new Set(SCHEDULES.map((schedule) => schedule.target))) {
  new aws.lambda.FunctionEventInvokeConfig(`${logical(target)}Failures`, {
    functionName: functions[target].name,
    maximumEventAgeInSeconds: 60,
    maximumRetryAttempts: 0,
  });
}

new aws.sqs.QueuePolicy('DeadLettersPolicy', {
  queueUrl: deadLetters.url,
  policy: $jsonStringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'RulesMaySend',
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: deadLetters.arn,
        Condition: { ArnEquals: { 'aws:SourceArn': rules.map((rule) => rule.arn) } },
      },
      {
        Sid: 'OverTlsOnly',
        Effect: 'Deny',
        Principal: '*',
        Action: 'sqs:SendMessage',
        Resource: deadLetters.arn,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  }),
});

function allow(name: string, target: FunctionName, principal: string, sourceArn: $util.Input<string>): void {
  new aws.lambda.Permission(`${logical(name)}Permission`, {
    action: 'lambda:InvokeFunction',
    function: functions[target].name,
    principal,
    sourceArn,
  });
}
