import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { openJournal } from '../../../../local/wire/journal.ts';

const root = mkdtempSync(join(tmpdir(), 'glimpse-journal-'));
afterAll(() => rmSync(root, { recursive: true }));
let path: string;
let count = 0;
beforeEach(() => {
  path = join(root, String(count++), 'below', 'journal.jsonl');
});
const open = () => openJournal<{ n: number }>(path);

it('makes its folder, and is empty at first', () => {
  const { journal, records } = open();

  expect(records).toEqual([]);
  expect(journal.length).toBe(0);
  journal.close();
});

it('has what was appended, counted, in order', () => {
  const { journal } = open();
  journal.append({ n: 1 });
  journal.append({ n: 2 });
  expect(journal.length).toBe(2);
  expect(readFileSync(path, 'utf8')).toBe('{"n":1}\n{"n":2}\n');
  journal.close();

  const again = open();
  expect(again.records).toEqual([{ n: 1 }, { n: 2 }]);
  expect(again.journal.length).toBe(2);
  again.journal.close();
});

it('is replaced as a whole, and goes on behind', () => {
  const { journal } = open();
  journal.append({ n: 1 });
  journal.rewrite([{ n: 5 }, { n: 6 }]);
  expect(journal.length).toBe(2);
  journal.append({ n: 7 });
  journal.close();

  expect(readFileSync(path, 'utf8')).toBe('{"n":5}\n{"n":6}\n{"n":7}\n');
  expect(existsSync(`${path}.new`)).toBe(false);
});

it('drops a line that a kill has cut, for good', () => {
  const { journal } = open();
  journal.append({ n: 1 });
  journal.close();
  appendFileSync(path, '{"n":');

  const again = open();
  expect(again.records).toEqual([{ n: 1 }]);
  again.journal.append({ n: 2 });
  again.journal.close();
  expect(readFileSync(path, 'utf8')).toBe('{"n":1}\n{"n":2}\n');
});

it('is closed when it is', () => {
  const { journal } = open();
  journal.close();

  expect(() => journal.append({ n: 1 })).toThrow('EBADF');
});

it('keeps nothing without a path', () => {
  const { journal, records } = openJournal(undefined);
  journal.append({ n: 1 });
  journal.rewrite([]);
  journal.close();

  expect([records, journal.length]).toEqual([[], 0]);
});

it('says what keeps it from being read', () => {
  const { journal } = open();
  journal.close();
  const below = join(path, 'is a file');

  expect(() => openJournal(below)).toThrow(/ENOTDIR|EEXIST/u);
  writeFileSync(path, '');
  expect(() => openJournal(join(path, '..'))).toThrow('EISDIR');
});
