import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../core/config.ts';
import { isToBeConverted } from '../../../../core/imports/conversion.ts';

const stores = [{ id: 'central', bucket: 'glimpse-central', region: 'us-east-1', default: true }];
const converting = parseConfig({ stores, image_import_plugins: ['image_conversion'] });

describe('isToBeConverted', () => {
  it.each([
    ['qcow2', 'bare', true],
    ['vmdk', 'bare', true],
    ['raw', 'bare', false],
    ['iso', 'bare', false],
    ['vmdk', 'ova', false],
    [null, null, false],
  ] as const)('%s in %s: %s, when images are converted to raw', (diskFormat, containerFormat, expected) => {
    expect(isToBeConverted(converting, { diskFormat, containerFormat, properties: {} })).toBe(expected);
  });

  it('is never true without the plugin', () => {
    expect(
      isToBeConverted(parseConfig({ stores }), { diskFormat: 'qcow2', containerFormat: 'bare', properties: {} }),
    ).toBe(false);
  });

  it('follows the output format', () => {
    const config = parseConfig({
      stores,
      image_import_plugins: ['image_conversion'],
      image_conversion: { output_format: 'qcow2' },
    });

    expect(isToBeConverted(config, { diskFormat: 'qcow2', containerFormat: 'bare', properties: {} })).toBe(false);
    expect(isToBeConverted(config, { diskFormat: 'raw', containerFormat: 'bare', properties: {} })).toBe(true);
  });
});
