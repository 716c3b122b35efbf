/** One key for what is secret or personal: table, functions' environments, alarms. Image bytes use SSE-S3: a key is regional, copies are not. */
import { account, named } from './stage.ts';

export const key = new aws.kms.Key('Key', {
  description: named('key'),
  enableKeyRotation: true,
  deletionWindowInDays: 30,
  policy: $jsonStringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'TheAccountDecidesByIam',
        Effect: 'Allow',
        Principal: { AWS: $interpolate`arn:aws:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
      {
        Sid: 'AlarmsMayPublish',
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: '*',
        Condition: { StringEquals: { 'aws:SourceAccount': account } },
      },
    ],
  }),
});
