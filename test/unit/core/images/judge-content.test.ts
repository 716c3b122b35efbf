import { describe, expect, it } from 'vitest';
import { CONTAINER_FORMATS } from '../../../../core/formats.ts';
import { declaredFormat } from '../../../../core/images/judge-content.ts';
import { FORMATS } from '../../../../formats/catalog.ts';

describe('declaredFormat', () => {
  it.each([
    ['bare', 'qcow2', 'qcow2'],
    ['bare', null, undefined],
    ['ova', 'vmdk', 'ova'],
    ['ova', null, 'ova'],
    ['docker', 'raw', 'docker'],
    ['ovf', 'vmdk', undefined],
    ['compressed', 'raw', undefined],
    ['ami', 'ami', undefined],
    ['aki', 'aki', undefined],
    [null, 'raw', undefined],
    [null, null, undefined],
  ])('of container %s with %s inside is %s', (containerFormat, diskFormat, declared) => {
    expect(declaredFormat({ containerFormat, diskFormat }, { strict_kernels: false })).toBe(declared);
  });

  it.each([
    ['aki', 'aki', 'aki'],
    ['ari', 'ari', 'ari'],
    ['ami', 'aki', 'aki'],
    ['bare', 'ari', 'ari'],
    ['ami', 'ami', undefined],
    ['aki', 'raw', undefined],
    ['ovf', 'aki', undefined],
    ['aki', null, undefined],
  ])(
    'of container %s with %s inside is %s where kernels are judged strictly',
    (containerFormat, diskFormat, declared) => {
      expect(declaredFormat({ containerFormat, diskFormat }, { strict_kernels: true })).toBe(declared);
    },
  );

  it('is a format of the engine for every container that it names', () => {
    for (const containerFormat of CONTAINER_FORMATS) {
      const declared = declaredFormat({ containerFormat, diskFormat: null }, { strict_kernels: true });

      expect(FORMATS.find(({ format }) => format === declared)?.glance).toMatchObject({ container: containerFormat });
    }
  });
});
