import { expect, test } from 'vitest';
import { createSourceUrlReads, createSourceUrls } from '../../aws/dynamodb/source-urls.ts';
import { startTable } from '../support/table.ts';

test('a whole URL is kept until it is forgotten', async () => {
  const { table, close } = await startTable();
  const urls = createSourceUrls(table, { clock: { now: () => Date.parse('2026-02-02T00:00:00Z') } });
  const reads = createSourceUrlReads(table);
  await urls.keep('task', 'https://user:password@example.org/x');

  expect(await reads.of('task')).toBe('https://user:password@example.org/x');
  expect(await reads.of('other')).toBeUndefined();
  await urls.forget('task');
  await urls.forget('task');
  expect(await reads.of('task')).toBeUndefined();
  await close();
});
