import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Config } from '../../../core/config.ts';
import { traitsOf } from '../../../formats/catalog.ts';
import { FORMATS_FILE, formatsText } from '../../../scripts/print-formats.ts';

describe('what the rules know of formats', () => {
  it('is what `npm run docs:formats` prints', async () => {
    expect(await readFile(FORMATS_FILE, 'utf8')).toBe(formatsText());
  });

  it("has a format for each of Glance's disk formats", () => {
    const { disk_formats: names } = Config.parse({ stores: [{ id: 'a', bucket: 'bucket' }] }).image_format;

    expect(names.filter((name) => traitsOf(name).glance === undefined)).toEqual([]);
  });
});
