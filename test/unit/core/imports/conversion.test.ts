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
    expect(isToBeConverted(converting, { diskFormat, containerFormat, properties: {}, visibility: 'public' })).toBe(
      expected,
    );
  });

  it('is never true without the plugin', () => {
    expect(
      isToBeConverted(parseConfig({ stores }), {
        diskFormat: 'qcow2',
        containerFormat: 'bare',
        properties: {},
        visibility: 'public',
      }),
    ).toBe(false);
  });

  it('follows the output format', () => {
    const config = parseConfig({
      stores,
      image_import_plugins: ['image_conversion'],
      image_conversion: { output_format: 'qcow2' },
    });

    expect(
      isToBeConverted(config, { diskFormat: 'qcow2', containerFormat: 'bare', properties: {}, visibility: 'public' }),
    ).toBe(false);
    expect(
      isToBeConverted(config, { diskFormat: 'raw', containerFormat: 'bare', properties: {}, visibility: 'public' }),
    ).toBe(true);
  });

  it('is never true for a signed image, unless it may lose its signature and needs none', () => {
    const properties = Object.fromEntries(
      ['', '_hash_method', '_key_type', '_certificate_uuid'].map((key) => [`img_signature${key}`, 'x']),
    );
    const of = (signed_images: object, visibility: 'public' | 'private') =>
      isToBeConverted(parseConfig({ stores, image_import_plugins: ['image_conversion'], signed_images }), {
        ...{ diskFormat: 'qcow2', containerFormat: 'bare', properties, visibility },
      });
    const losing = { allow_conversion: true, require_signature: { public: 'always' } };

    expect(of({}, 'private')).toBe(false);
    expect(of(losing, 'private')).toBe(true);
    expect(of(losing, 'public')).toBe(false);
  });
});
