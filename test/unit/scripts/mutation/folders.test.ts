import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutatedFolders, testsOf, testsOfFile } from '../../../../scripts/mutation/folders.ts';

const ROOT = join(import.meta.dirname, '../../../..');

describe('every folder whose sources are mutated', () => {
  it.each(mutatedFolders(ROOT))('%s has tests that are run for it', (folder) => {
    expect(testsOf(folder).flatMap((glob) => globSync(glob, { cwd: ROOT }))).not.toEqual([]);
  });
});

describe('testsOfFile', () => {
  it('is the test of its own, when a file has one', () => {
    expect(testsOfFile(ROOT, 'local/s3/conditions.ts')).toEqual(['test/unit/local/s3/conditions.test.ts']);
  });

  it('else those of its folder', () => {
    expect(testsOfFile(ROOT, 'local/s3/cors.ts')).toEqual(testsOf('local/s3'));
  });
});
