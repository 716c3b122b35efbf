/// <reference path="./.sst/platform/config.d.ts" />

/**
 * The whole deployment: `npx sst deploy --stage dev | production | localstack` (docs/operations/deploy.md). Resources are declared in
 * infra/, from the data in workflows/ and api/routes.ts; test/infra/ runs this program against a mock engine.
 */
export default $config({
  app({ stage }) {
    const url = process.env['AWS_ENDPOINT_URL'] || 'http://127.0.0.1:4566';
    // The CLI hands on strings only and silently drops booleans and numbers, so flags are strings whatever their declared type.
    const flag = 'true' as unknown as boolean;
    const localstack = {
      accessKey: 'test',
      secretKey: 'test',
      endpoints: [
        {
          apigatewayv2: url,
          cloudwatch: url,
          cloudwatchevents: url,
          cloudwatchlogs: url,
          dynamodb: url,
          iam: url,
          kms: url,
          lambda: url,
          s3: url,
          scheduler: url,
          sfn: url,
          sns: url,
          sqs: url,
          ssm: url,
          sts: url,
        },
      ],
      skipCredentialsValidation: flag,
      skipMetadataApiCheck: flag,
      skipRequestingAccountId: flag,
      s3UsePathStyle: flag,
    };
    return {
      name: 'glimpse',
      home: 'aws',
      removal: stage === 'production' ? 'retain' : 'remove',
      protect: stage === 'production',
      providers: {
        aws: {
          region: (process.env['GLIMPSE_REGION'] || 'us-east-1') as 'us-east-1',
          ...(stage === 'localstack' && localstack),
        },
      },
    };
  },
  async run() {
    const { declare } = await import('./infra/main.ts');
    return declare();
  },
});
