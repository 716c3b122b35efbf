/** Conditions of roles are made of prefixes: a key that none of them covers would be refused on AWS, one that two cover would be open. */
import { expect, test } from 'vitest';
import * as keys from '../../../../aws/dynamodb/keys.ts';
import { fits } from '../../../../local/iam/match.ts';
import {
  IDENTITY_KEYS,
  PROJECT_KEYS,
  SERVICE_KEYS,
  SOURCE_KEYS,
  TOKEN_KEYS,
} from '../../../../workflows/table-keys.ts';

/** Partitions that keys.ts makes, by the name of what makes them. */
const PARTITIONS: Readonly<
  Record<string, { readonly of: 'service' | 'identity' | 'sources'; readonly partition: string }>
> = {
  imageKey: { of: 'service', partition: keys.imageKey('i').pk },
  memberKey: { of: 'service', partition: keys.memberKey('i', 'p').pk },
  memberCountKey: { of: 'service', partition: keys.memberCountKey('i').pk },
  sourceSecretKey: { of: 'sources', partition: keys.sourceSecretKey('t').pk },
  uploadSessionKey: { of: 'service', partition: keys.uploadSessionKey('i', 'u').pk },
  taskKey: { of: 'service', partition: keys.taskKey('t').pk },
  progressKey: { of: 'service', partition: keys.progressKey('t').pk },
  batchKey: { of: 'service', partition: keys.batchKey('t', 'p', 1).pk },
  RATES_KEY: { of: 'service', partition: keys.RATES_KEY.pk },
  dutyKey: { of: 'service', partition: keys.dutyKey('d').pk },
  ownerPartition: { of: 'service', partition: keys.ownerPartition('o') },
  visibilityPartition: { of: 'service', partition: keys.visibilityPartition('public', 0) },
  usageKey: { of: 'service', partition: keys.usageKey('p').pk },
  usageListedKey: { of: 'service', partition: keys.usageListedKey('p').pk },
  USAGES: { of: 'service', partition: keys.USAGES },
  memberPartition: { of: 'service', partition: keys.memberPartition('p', 'accepted') },
  imageTasksPartition: { of: 'service', partition: keys.imageTasksPartition('i') },
  ownerTasksPartition: { of: 'service', partition: keys.ownerTasksPartition('o') },
  LIVE_TASKS: { of: 'service', partition: keys.LIVE_TASKS },
  ALL_TASKS: { of: 'service', partition: keys.ALL_TASKS },
  DUTIES: { of: 'service', partition: keys.DUTIES },
  identityKey: { of: 'identity', partition: keys.identityKey('user', 'u').pk },
  nameKey: { of: 'identity', partition: keys.nameKey('user', 'default', 'u').pk },
  identityPartition: { of: 'identity', partition: keys.identityPartition('user', '') },
  grantKey: { of: 'identity', partition: keys.grantKey('u', 'project', 'p', 'r').pk },
  scopePartition: { of: 'identity', partition: keys.scopePartition('project', 'p') },
  ALL_GRANTS: { of: 'identity', partition: keys.ALL_GRANTS },
  REVOCATIONS: { of: 'identity', partition: keys.REVOCATIONS },
  failuresKey: { of: 'identity', partition: keys.failuresKey('f').pk },
  namespaceKey: { of: 'service', partition: keys.namespaceKey('n').pk },
  metadefChildKey: { of: 'service', partition: keys.metadefChildKey('n', 'tags', 'g', 't').pk },
  namespaceNameKey: { of: 'service', partition: keys.namespaceNameKey('n').pk },
  RESOURCE_TYPES: { of: 'service', partition: keys.RESOURCE_TYPES },
  resourceTypeKey: { of: 'service', partition: keys.resourceTypeKey('r').pk },
  metadefUseKey: { of: 'service', partition: keys.metadefUseKey('p').pk },
  METADEFS_LOADED: { of: 'service', partition: keys.METADEFS_LOADED.pk },
  namespaceOwnerPartition: { of: 'service', partition: keys.namespaceOwnerPartition('o') },
  namespaceVisibilityPartition: { of: 'service', partition: keys.namespaceVisibilityPartition('public') },
};
/** Sort values, and parts of keys. */
const NO_PARTITIONS = ['visibilityShard', 'byCreated', 'byName', 'byDue', 'generationPrefix'];

test('every key of the table has its row here', () => {
  expect([...Object.keys(PARTITIONS), ...NO_PARTITIONS].sort()).toEqual(Object.keys(keys).sort());
});

test.each(Object.entries(PARTITIONS))('%s belongs to one side, and to that alone', (_, { of, partition }) => {
  const covers = (patterns: readonly string[]) => patterns.some((pattern) => fits(pattern, partition));

  expect({
    service: covers(SERVICE_KEYS),
    identity: covers(IDENTITY_KEYS),
    sources: covers(SOURCE_KEYS),
  }).toEqual({
    service: of === 'service',
    identity: of === 'identity',
    sources: of === 'sources',
  });
});

test('what tokens and dropped files ask of identity is identity’s', () => {
  for (const pattern of [...TOKEN_KEYS, ...PROJECT_KEYS])
    expect(IDENTITY_KEYS.some((one) => fits(one, pattern.replace('*', 'x')))).toBe(true);
});
