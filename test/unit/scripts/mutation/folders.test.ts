import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutatedFolders, testsOf } from '../../../../scripts/mutation/folders.ts';

const ROOT = join(import.meta.dirname, '../../../..');

describe('every folder whose sources are mutated', () => {
  it.each(mutatedFolders(ROOT))('%s has tests that are run for it', (folder) => {
    expect(testsOf(folder).flatMap((glob) => globSync(glob, { cwd: ROOT }))).not.toEqual([]);
  });
});
