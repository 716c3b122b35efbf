import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useWorld } from './support/client-rows.ts';
import { CORE_ONLY, CURRENT, isPresent, PYTHON } from './support/consumers.ts';

const CURRENT_PYTHON = join(CURRENT, 'bin/python');
const releases = [
  ['Debian’s openstacksdk', PYTHON],
  ...(!CORE_ONLY && isPresent([CURRENT_PYTHON], 'openstacksdk of PyPI, as .ci/stages.sh does')
    ? [['the current openstacksdk', CURRENT_PYTHON] as const]
    : []),
] as const;

describe.each(releases)('a program of %s', (_, python) => {
  const world = useWorld({});

  it('uploads, imports, 250 images in pages, deactivation, sharing, downloads that verify, refusals in words', async () => {
    const { glimpse, file, uri } = world();
    const tour = join(import.meta.dirname, 'support/openstacksdk-tour.py');

    const printed = await glimpse.client('demo', 'env', [
      ...['-u', 'OS_USERNAME', '-u', 'OS_PASSWORD', `OS_CLIENT_CONFIG_FILE=${join(glimpse.dataDir, 'clouds.yaml')}`],
      ...[python, tour, file, uri],
    ]);

    expect(JSON.parse(printed)).toMatchObject({
      import_methods: ['glance-direct', 'web-download', 'copy-image'],
      stores: ['central', 'dcn0', 'dcn1'],
      paged: 250,
      not_shared: expect.stringContaining('No image found with ID') as string,
      not_public: expect.stringContaining('You are not authorized to complete publicize_image action') as string,
      protected: expect.stringContaining('is protected and cannot be deleted') as string,
      deleted: expect.stringContaining('No image found with ID') as string,
    });
  });
});
