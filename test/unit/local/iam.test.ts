import { describe, expect, it } from 'vitest';
import type { Context } from '../../../local/iam/conditions.ts';
import { credentialOf } from '../../../local/iam/credential.ts';
import { evaluate } from '../../../local/iam/evaluate.ts';
import { Iam } from '../../../local/iam/iam.ts';
import { jsonAccess } from '../../../local/iam/json-access.ts';
import { fitsArn } from '../../../local/iam/match.ts';
import { parsePolicy } from '../../../local/iam/policy.ts';
import { restAccess } from '../../../local/iam/rest-access.ts';
import { type S3Call, s3Access } from '../../../local/iam/s3-access.ts';
import { OPERATIONS } from '../../../local/s3/routes.ts';
import type { JsonObject } from '../../../local/wire/json.ts';

const OBJECT = 'arn:aws:s3:::bucket/folder/key';
const allow = (more: object = {}) => ({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...more });

/** IAM User Guide, "IAM JSON policy elements". */
describe('a statement', () => {
  it.each<[string, object, boolean]>([
    ['of the action', allow(), true],
    ['of another action', allow({ Action: 's3:PutObject' }), false],
    ['whatever the case of the action', allow({ Action: 'S3:getobject' }), true],
    ['of several actions', allow({ Action: ['s3:PutObject', 's3:GetObject'] }), true],
    ['with * in the action', allow({ Action: 's3:Get*' }), true],
    ['with ? in the action', allow({ Action: 's3:?etObject' }), true],
    ['of every action', allow({ Action: '*' }), true],
    ['of all but the action', { Effect: 'Allow', NotAction: 's3:GetObject', Resource: '*' }, false],
    ['of all but another action', { Effect: 'Allow', NotAction: ['s3:Put*'], Resource: '*' }, true],
    ['of the resource', allow({ Resource: OBJECT }), true],
    ['of another resource', allow({ Resource: 'arn:aws:s3:::bucket/other' }), false],
    ['of the bucket, not its objects', allow({ Resource: 'arn:aws:s3:::bucket' }), false],
    ['of all objects, over slashes', allow({ Resource: 'arn:aws:s3:::bucket/*' }), true],
    ['of a prefix', allow({ Resource: 'arn:aws:s3:::bucket/fol*' }), true],
    ['whatever else in the resource differs in case', allow({ Resource: 'arn:aws:s3:::Bucket/*' }), false],
    ['a dot is a dot', allow({ Resource: 'arn:aws:s3:::bu.ket/*' }), false],
    ['of all but the resource', { Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::bucket/*' }, false],
  ])('%s', (_, statement, speaks) => {
    const access = { action: 's3:GetObject', resource: OBJECT };

    expect(evaluate(parsePolicy({ Statement: [statement] }), access)).toBe(speaks ? 'allowed' : 'implicit deny');
  });

  it('one Deny outweighs every Allow, and nothing is nothing', () => {
    const access = { action: 's3:GetObject', resource: OBJECT };
    const both = { Statement: [allow(), allow({ Effect: 'Deny', Resource: 'arn:aws:s3:::bucket/*' })] };

    expect(evaluate(parsePolicy(both), access)).toBe('explicit deny');
    expect(evaluate([], access)).toBe('implicit deny');
  });

  it.each([
    ['no statement', {}],
    ['neither Allow nor Deny', { Statement: [{ Effect: 'allow', Action: '*', Resource: '*' }] }],
    ['no action', { Statement: [{ Effect: 'Allow', Resource: '*' }] }],
    ['no resource', { Statement: [{ Effect: 'Allow', Action: '*' }] }],
    ['both Action and NotAction', { Statement: [allow({ NotAction: '*' })] }],
    ['an element nobody knows', { Statement: [allow({ Actions: '*' })] }],
    ['an operator nobody knows', { Statement: [allow({ Condition: { StringEqual: { a: 'b' } } })] }],
  ])('is refused with %s', (_, document) => {
    expect(() => parsePolicy(document)).toThrow(TypeError);
  });

  it('may stand alone, and as text', () => {
    expect(parsePolicy(JSON.stringify({ Statement: allow({ Sid: 'one' }) }))).toMatchObject([{ sid: 'one' }]);
  });
});

it.each([
  ['arn:aws:s3:::*', 'arn:aws:s3:::bucket/key', true],
  ['arn:aws:dynamodb:*:*:table/t/index/*', 'arn:aws:dynamodb:us-east-1:0:table/t/index/gsi1', true],
  ['arn:aws:dynamodb:*:table/t', 'arn:aws:dynamodb:us-east-1:0:table/t', false],
  ['arn:aws:states:r:a:execution:machine:*', 'arn:aws:states:r:a:execution:machine:run', true],
  ['arn:aws:states:r:a:execution:machine', 'arn:aws:states:r:a:execution:machine:run', false],
  ['*', 'anything', true],
])('%s fits %s: %s', (pattern, arn, fits) => {
  expect(fitsArn(pattern, arn)).toBe(fits);
});

/** IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context keys". */
describe('a condition', () => {
  it.each<[string, object, Context, boolean]>([
    ['StringEquals', { StringEquals: { 's3:prefix': 'a' } }, { 's3:prefix': ['a'] }, true],
    ['StringEquals, another value', { StringEquals: { 's3:prefix': 'a' } }, { 's3:prefix': ['b'] }, false],
    ['StringEquals, one of several', { StringEquals: { 's3:prefix': ['b', 'a'] } }, { 's3:prefix': ['a'] }, true],
    ['StringEquals, no such key', { StringEquals: { 's3:prefix': 'a' } }, {}, false],
    ['StringEqualsIfExists, no such key', { StringEqualsIfExists: { 's3:prefix': 'a' } }, {}, true],
    ['StringEqualsIfExists', { StringEqualsIfExists: { 's3:prefix': 'a' } }, { 's3:prefix': ['b'] }, false],
    ['keys whatever their case', { StringEquals: { 'S3:Prefix': 'a' } }, { 's3:prefix': ['a'] }, true],
    ['StringNotEquals', { StringNotEquals: { a: 'x' } }, { a: ['x'] }, false],
    ['StringNotEquals, no such key', { StringNotEquals: { a: 'x' } }, {}, true],
    ['StringNotEquals, none of several', { StringNotEquals: { a: ['x', 'y'] } }, { a: ['z'] }, true],
    ['StringLike', { StringLike: { a: 'fold*/?' } }, { a: ['folder/x'] }, true],
    ['StringLike, too short', { StringLike: { a: 'fold*/?' } }, { a: ['folder/'] }, false],
    ['StringEqualsIgnoreCase', { StringEqualsIgnoreCase: { a: 'X' } }, { a: ['x'] }, true],
    ['ArnLike', { ArnLike: { a: 'arn:aws:s3:::b*' } }, { a: ['arn:aws:s3:::bucket'] }, true],
    ['ArnNotLike', { ArnNotLike: { a: 'arn:aws:s3:::b*' } }, { a: ['arn:aws:s3:::bucket'] }, false],
    ['Bool', { Bool: { a: 'true' } }, { a: ['true'] }, true],
    ['Bool as a value of JSON', { Bool: { a: false } }, { a: ['true'] }, false],
    ['Null true: the key is absent', { Null: { a: 'true' } }, {}, true],
    ['Null true: the key is there', { Null: { a: 'true' } }, { a: ['x'] }, false],
    ['Null false: the key is there', { Null: { a: 'false' } }, { a: ['x'] }, true],
    ['NumericLessThanEquals', { NumericLessThanEquals: { a: '10' } }, { a: ['9'] }, true],
    ['NumericGreaterThanEquals', { NumericGreaterThanEquals: { a: '10' } }, { a: ['9'] }, false],
    ['ForAllValues', { 'ForAllValues:StringEquals': { a: ['x', 'y'] } }, { a: ['x', 'y'] }, true],
    ['ForAllValues, one too many', { 'ForAllValues:StringEquals': { a: ['x', 'y'] } }, { a: ['x', 'z'] }, false],
    ['ForAllValues of none', { 'ForAllValues:StringEquals': { a: ['x'] } }, {}, true],
    ['ForAnyValue', { 'ForAnyValue:StringLike': { a: ['x*'] } }, { a: ['z', 'xy'] }, true],
    ['ForAnyValue of none', { 'ForAnyValue:StringLike': { a: ['x*'] } }, {}, false],
    ['all of several', { StringEquals: { a: 'x', b: 'y' } }, { a: ['x'], b: ['y'] }, true],
    ['one of several fails', { StringEquals: { a: 'x' }, Bool: { b: 'true' } }, { a: ['x'], b: ['false'] }, false],
  ])('%s', (_, Condition, context, holds) => {
    const access = { action: 's3:GetObject', resource: OBJECT, context };

    expect(evaluate(parsePolicy({ Statement: allow({ Condition }) }), access) === 'allowed').toBe(holds);
  });
});

describe('roles', () => {
  const reader = { policies: [{ Statement: [allow({ Resource: 'arn:aws:s3:::bucket/*' })] }] };
  const get = { action: 's3:GetObject', resource: OBJECT };
  const put = { action: 's3:PutObject', resource: OBJECT };

  it('are refused in the words of AWS', () => {
    const denying = { policies: [{ Statement: [allow({ Effect: 'Deny' })] }] };
    const iam = new Iam({ roles: { reader, denying } });

    iam.authorize('reader', [get]);
    expect(() => iam.authorize('reader', [get, put])).toThrow(
      expect.objectContaining({
        code: 'AccessDeniedException',
        message: `User: arn:aws:sts::000000000000:assumed-role/reader/reader is not authorized to perform: s3:PutObject on resource: ${OBJECT} because no identity-based policy allows the s3:PutObject action`,
      }),
    );
    expect(() => iam.authorize('denying', [get])).toThrow('with an explicit deny in an identity-based policy');
    expect(iam.report()).toEqual([
      { role: 'reader', ...put, decision: 'implicit deny', count: 1 },
      { role: 'denying', ...get, decision: 'explicit deny', count: 1 },
      { role: 'reader', ...get, decision: 'allowed', count: 2 },
    ]);
  });

  it('unknown keys are refused, unless they may do everything', () => {
    expect(() => new Iam().authorize('nobody', [])).toThrow(
      expect.objectContaining({ code: 'UnrecognizedClientException' }),
    );
    expect(() => new Iam().authorize(undefined, [get])).toThrow('security token');
    new Iam({ unknownKeys: 'allow' }).authorize('nobody', [get]);
  });

  it('a key leads to its role; a role put again has its new policies and its new key only', () => {
    const iam = new Iam({ roles: { reader: { accessKeyId: 'first', ...reader } } });
    iam.authorize('first', [get]);
    iam.put('reader', { accessKeyId: 'second', policies: [] });

    expect(iam.allows('second', get)).toBe(false);
    expect(iam.allows('first', get)).toBe(false);
  });
});

it.each([
  [
    'AWS4-HMAC-SHA256 Credential=drop/20261130/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0',
    { accessKeyId: 'drop', region: 'eu-central-1' },
  ],
  ['drop/20261130/us-east-1/s3/aws4_request', { accessKeyId: 'drop', region: 'us-east-1' }],
  ['Bearer token', undefined],
  [undefined, undefined],
])('the credential of %s', (header, credential) => {
  expect(credentialOf(header)).toEqual(credential);
});

/** Service Authorization Reference: actions, resources and condition keys of each service. */
describe('what a call needs', () => {
  const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/t';
  const keyed = (action: string, keys: string[], resource = TABLE) => ({
    ...{ action: `dynamodb:${action}`, resource },
    context: keys.length === 0 ? {} : { 'dynamodb:leadingkeys': keys },
  });
  const key = (pk: string) => ({ pk: { S: pk }, sk: { S: 's' } });

  it.each<[string, JsonObject, unknown[]]>([
    ['GetItem', { TableName: 't', Key: key('a') }, [keyed('GetItem', ['a'])]],
    ['PutItem', { TableName: 't', Item: key('a') }, [keyed('PutItem', ['a'])]],
    [
      'Query',
      {
        ...{ TableName: 't', KeyConditionExpression: '#p = :p AND begins_with(sk, :s)' },
        ExpressionAttributeNames: { '#p': 'pk' },
        ExpressionAttributeValues: { ':p': { S: 'a' }, ':s': { S: 'x' } },
      },
      [keyed('Query', ['a'])],
    ],
    ['Query', { TableName: 't', IndexName: 'gsi1' }, [keyed('Query', [], `${TABLE}/index/gsi1`)]],
    ['Scan', { TableName: 't', IndexName: 'gsi1' }, [keyed('Scan', [], `${TABLE}/index/gsi1`)]],
    [
      'BatchWriteItem',
      { RequestItems: { t: [{ PutRequest: { Item: key('a') } }, { DeleteRequest: { Key: key('b') } }] } },
      [keyed('BatchWriteItem', ['a', 'b'])],
    ],
    ['BatchGetItem', { RequestItems: { t: { Keys: [key('a')] } } }, [keyed('BatchGetItem', ['a'])]],
    [
      'TransactWriteItems',
      {
        TransactItems: [
          { Put: { TableName: 't', Item: key('a') } },
          { Update: { TableName: 't', Key: key('b') } },
          { Delete: { TableName: 't', Key: key('c') } },
          { ConditionCheck: { TableName: 't', Key: key('d') } },
        ],
      },
      [
        keyed('PutItem', ['a']),
        keyed('UpdateItem', ['b']),
        keyed('DeleteItem', ['c']),
        keyed('ConditionCheckItem', ['d']),
      ],
    ],
    ['TransactGetItems', { TransactItems: [{ Get: { TableName: 't', Key: key('a') } }] }, [keyed('GetItem', ['a'])]],
    ['DescribeTable', { TableName: 't' }, [keyed('DescribeTable', [])]],
    ['ListTables', {}, [{ action: 'dynamodb:ListTables', resource: '*' }]],
  ])('DynamoDB %s', async (operation, input, accesses) => {
    expect(await jsonAccess('DynamoDB_20120810', operation, input, async () => 'pk')).toEqual(accesses);
  });

  const machine = 'arn:aws:states:us-east-1:000000000000:stateMachine:m';
  it.each<[string, string, JsonObject, string]>([
    ['AWSStepFunctions', 'StartExecution', { stateMachineArn: machine }, `states:StartExecution ${machine}`],
    ['AWSStepFunctions', 'StopExecution', { executionArn: 'x:run' }, 'states:StopExecution x:run'],
    ['AWSStepFunctions', 'CreateStateMachine', { name: 'm' }, `states:CreateStateMachine ${machine}`],
    ['AWSStepFunctions', 'SendTaskSuccess', { taskToken: 't' }, 'states:SendTaskSuccess *'],
    ['AWSEvents', 'PutRule', { Name: 'r' }, 'events:PutRule arn:aws:events:us-east-1:000000000000:rule/r'],
    ['AWSEvents', 'PutTargets', { Rule: 'r' }, 'events:PutTargets arn:aws:events:us-east-1:000000000000:rule/r'],
    [
      'AWSEvents',
      'PutEvents',
      { Entries: [{ Source: 's' }] },
      'events:PutEvents arn:aws:events:us-east-1:000000000000:event-bus/default',
    ],
  ])('%s %s', async (service, operation, input, expected) => {
    const [access] = await jsonAccess(service, operation, input, async () => undefined);

    expect(`${access?.action} ${access?.resource}`).toBe(expected);
  });

  const fn = 'arn:aws:lambda:us-east-1:000000000000:function:f';
  it.each([
    ['POST', '/2015-03-31/functions/f/invocations', `lambda:InvokeFunction ${fn}`],
    ['POST', `/2015-03-31/functions/${encodeURIComponent(fn)}/invocations`, `lambda:InvokeFunction ${fn}`],
    ['GET', '/2015-03-31/functions/f', `lambda:GetFunction ${fn}`],
    ['GET', '/2015-03-31/functions', 'lambda:ListFunctions *'],
    ['POST', '/schedules/s', 'scheduler:CreateSchedule arn:aws:scheduler:us-east-1:000000000000:schedule/default/s'],
    ['DELETE', '/schedules/s', 'scheduler:DeleteSchedule arn:aws:scheduler:us-east-1:000000000000:schedule/default/s'],
    ['GET', '/schedules', 'scheduler:ListSchedules *'],
  ])('%s %s', (method, path, expected) => {
    const { action, resource } = restAccess(method, path);

    expect(`${action} ${resource}`).toBe(expected);
  });

  /** Amazon S3 User Guide, "Required permissions for Amazon S3 API operations". */
  describe('S3', () => {
    const B = 'arn:aws:s3:::b';
    const call = (operation: string, more: Partial<S3Call> & { headers?: Record<string, string> } = {}): string[] => {
      const { headers = {}, ...rest } = more;
      const header = (name: string) => headers[name];
      const asked = { operation, bucket: 'b', key: 'k', query: new Map<string, string>(), header, ...rest };
      return s3Access(asked).map(({ action, resource }) => `${action} ${resource}`);
    };
    const source = (isTagged: boolean) => ({ source: { bucket: 's', key: 'o', isTagged } });

    it.each<[string, string[], string[]]>([
      ['GetObject', call('GetObject'), [`s3:GetObject ${B}/k`]],
      ['HeadObject', call('HeadObject'), [`s3:GetObject ${B}/k`]],
      ['PutObject', call('PutObject'), [`s3:PutObject ${B}/k`]],
      [
        'PutObject with tags',
        call('PutObject', { headers: { 'x-amz-tagging': 'a=b' } }),
        [`s3:PutObject ${B}/k`, `s3:PutObjectTagging ${B}/k`],
      ],
      ['a part', call('UploadPart'), [`s3:PutObject ${B}/k`]],
      ['an upload that is given up', call('AbortMultipartUpload'), [`s3:AbortMultipartUpload ${B}/k`]],
      ['its parts', call('ListParts'), [`s3:ListMultipartUploadParts ${B}/k`]],
      ['a copy', call('CopyObject', source(false)), ['s3:GetObject arn:aws:s3:::s/o', `s3:PutObject ${B}/k`]],
      [
        'a copy of an object with tags',
        call('CopyObject', source(true)),
        [
          's3:GetObject arn:aws:s3:::s/o',
          's3:GetObjectTagging arn:aws:s3:::s/o',
          `s3:PutObject ${B}/k`,
          `s3:PutObjectTagging ${B}/k`,
        ],
      ],
      [
        'a copy that leaves the tags behind',
        call('CopyObject', { ...source(true), headers: { 'x-amz-tagging-directive': 'REPLACE' } }),
        ['s3:GetObject arn:aws:s3:::s/o', `s3:PutObject ${B}/k`],
      ],
      [
        'a copy with tags of its own',
        call('CopyObject', {
          ...source(false),
          headers: { 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': 'a=b' },
        }),
        ['s3:GetObject arn:aws:s3:::s/o', `s3:PutObject ${B}/k`, `s3:PutObjectTagging ${B}/k`],
      ],
      [
        'a part that is a copy: never of tags',
        call('UploadPartCopy', source(true)),
        ['s3:GetObject arn:aws:s3:::s/o', `s3:PutObject ${B}/k`],
      ],
      ['a list', call('ListObjectsV2', { key: '' }), [`s3:ListBucket ${B}`]],
      ['a list of uploads', call('ListMultipartUploads', { key: '' }), [`s3:ListBucketMultipartUploads ${B}`]],
      ['all buckets', call('ListBuckets', { bucket: '', key: '' }), ['s3:ListAllMyBuckets *']],
      ['many deletions: each its own', call('DeleteObjects', { key: '' }), []],
    ])('%s', (_, accesses, expected) => {
      expect(accesses).toEqual(expected);
    });

    it('policies may speak of prefixes and of encryption', () => {
      const [listed] = s3Access({
        ...{ operation: 'ListObjectsV2', bucket: 'b', key: '', header: () => undefined },
        query: new Map([['prefix', 'p/']]),
      });
      const header = (name: string) => (name === 'x-amz-server-side-encryption' ? 'aws:kms' : undefined);
      const [put] = s3Access({ operation: 'PutObject', bucket: 'b', key: 'k', query: new Map(), header });

      expect(listed?.context).toEqual({ 's3:prefix': ['p/'] });
      expect(put?.context).toEqual({ 's3:x-amz-server-side-encryption': ['aws:kms'] });
    });

    it('every operation has a rule; one without is refused', () => {
      for (const operation of OPERATIONS) call(operation);
      expect(() => call('RestoreObject')).toThrow(TypeError);
    });
  });
});
